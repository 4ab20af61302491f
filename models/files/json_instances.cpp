// The two kinds of JSON values, compiled once: pch_plain.hpp tells all other files so.

#include <nlohmann/json.hpp>

template class nlohmann::basic_json<>;
template class nlohmann::basic_json<nlohmann::ordered_map>;
