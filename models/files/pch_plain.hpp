#pragma once

// The precompiled header of all that does without LibTorch's headers: models_plain, fitness/, runs/
// and apps/. A file still includes itself what it uses: builds without precompiled headers need it.

#include <fmt/ranges.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "search/base/pch.hpp"
