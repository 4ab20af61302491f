#pragma once

// The precompiled header of all that does without LibTorch's headers: models_plain, fitness/, runs/
// and apps/. A file still includes itself what it uses: builds without precompiled headers need it.

#include <fmt/ranges.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "search/base/pch.hpp"

// Made once, in json_instances.cpp: a sixth to a quarter of what every file would compile. Builds
// without precompiled headers make them anew in each file.
extern template class nlohmann::basic_json<>;
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
