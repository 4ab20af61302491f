#pragma once

#include "fitness/tasks/task.hpp"

namespace regroup::fitness {

// The tasks of the table; the source file of each says what it measures.
const Task& perplexity_task();
const Task& rolling_perplexity_task();
const Task& divergence_task();
const Task& last_word_task();
const Task& multiple_choice_task();
const Task& image_classification_task();
const Task& text_classification_task();
const Task& sequence_to_sequence_task();

}  // namespace regroup::fitness
