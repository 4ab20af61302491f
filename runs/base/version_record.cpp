#include "runs/base/version_record.hpp"

#include "regroup/version.hpp"

namespace regroup::runs {

nlohmann::ordered_json version_record() {
  return {{"regroup", kProgramVersion}, {"torch", kTorchVersion}, {"compiler", kCompiler}};
}

}  // namespace regroup::runs
