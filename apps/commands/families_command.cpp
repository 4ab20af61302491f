#include "apps/commands/families_command.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/architecture/config_keys.hpp"
#include "models/architecture/families/families.hpp"
#include "models/files/json_file.hpp"

namespace regroup::apps {
namespace {

using models::ArchitectureSpec;
using models::ModelKind;
using nlohmann::ordered_json;

std::string_view kind_name(ModelKind kind) {
  switch (kind) {
    case ModelKind::kMasked:
      return "encoder";
    case ModelKind::kImage:
      return "image";
    case ModelKind::kSequence:
      return "encoder-decoder";
    case ModelKind::kSpeech:
      return "speech";
    case ModelKind::kText:
      return "classifier";
    default:
      return "causal";
  }
}

/// How tokens know their positions.
std::string_view position_name(const ArchitectureSpec& spec) {
  // A config's own defaults say it where the family alone does not.
  const nlohmann::json config = models::config_keys(spec).read;
  const models::ModelConfig usual =
      models::read_model_config(config, spec, std::string(spec.config_class));
  if (!usual.alibi.slopes.empty()) return "ALiBi";
  if (usual.relative_bias.buckets > 0) return "relative";
  if (usual.rotary.dimensions > 0) return "rotary";
  return spec.positions == models::PositionKind::kLearned || spec.kind == ModelKind::kImage
             ? "learned"
             : "sinusoidal";
}

ordered_json family_json(const ArchitectureSpec& spec) {
  const models::ConfigKeyLists keys = models::config_keys(spec);
  ordered_json other = ordered_json::object();
  for (const auto& [name, own] : spec.keys.other_names) other[std::string(name)] = own;
  return {{"architecture", spec.architecture},
          {"base_architecture", spec.base_architecture},
          {"model_type", spec.model_type},
          {"config_class", spec.config_class},
          {"kind", kind_name(spec.kind)},
          {"positions", position_name(spec)},
          {"stores_fewer_kv_heads", !spec.fields.kv_heads.empty()},
          {"merge_limit", spec.merge_limit},
          {"config_keys",
           {{"read", keys.read},
            {"neutral", keys.neutral},
            {"ignored", keys.ignored},
            {"other_names", other}}}};
}

std::string table() {
  std::string text = fmt::format("{:<32} {:<16} {:<11} {:<8} {}", "architecture", "kind",
                                 "positions", "KV heads", "merges");
  for (const ArchitectureSpec& spec : models::families()) {
    text += fmt::format("\n{:<32} {:<16} {:<11} {:<8} {}", spec.architecture, kind_name(spec.kind),
                        position_name(spec), spec.fields.kv_heads.empty() ? "all" : "fewer",
                        spec.merge_limit.empty() ? "all" : spec.merge_limit);
  }
  return text;
}

}  // namespace

CLI::App* FamiliesCommand::declare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "families",
      "Model families that are known, what limits merging in each, and their config keys");
  command->add_flag("--json", json_, "Print JSON, with the keys of config.json");
  verbosity_.declare(*command);
  return command;
}

void FamiliesCommand::run(const Session& session) {
  if (!json_) {
    session.console.print(table());
    return;
  }
  ordered_json families = ordered_json::array();
  for (const ArchitectureSpec& spec : models::families()) families.push_back(family_json(spec));
  session.console.print(models::json_text({{"families", families}}, 2));
}

}  // namespace regroup::apps
