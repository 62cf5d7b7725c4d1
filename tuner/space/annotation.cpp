#include "tuner/space/annotation.h"

#include <filesystem>
#include <map>
#include <utility>

#include "tuner/base/error.h"
#include "tuner/base/names.h"
#include "tuner/space/path.h"

namespace hyperfd {
namespace {

EncoderKind parse_encoder(const Json& definition, const Path& path) {
  static const std::map<std::string, EncoderKind> kinds = {
      {"mlp", EncoderKind::kMlp}, {"gin", EncoderKind::kGin}, {"joint", EncoderKind::kJoint}};
  if (!definition.is_string()) path.fail("expected mlp, gin or joint, got " + brief(definition));
  const auto found = kinds.find(definition.get<std::string>());
  if (found == kinds.end()) {
    path.fail(unknown_name_message("encoder", definition.get<std::string>(), {"mlp", "gin", "joint"}));
  }
  return found->second;
}

}  // namespace

struct Annotation::Impl {
  Json definition;
  EncoderKind encoder = EncoderKind::kMlp;
  std::unique_ptr<const ArchitectureTemplate> architecture;
  std::vector<std::unique_ptr<const Constraint>> constraints;
};

Annotation::Annotation() : impl_(std::make_shared<const Impl>()) {}
Annotation::Annotation(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

const Annotation& Annotation::none() {
  static const Annotation nothing;
  return nothing;
}

Annotation Annotation::parse(const Json& definition, const SearchSpace& space) {
  const Path root("annotation");
  check_keys(definition, {"encoder", "architecture", "constraints"}, root);
  const SpaceKeys keys(space);
  auto impl = std::make_shared<Impl>();
  impl->definition = definition;
  if (definition.contains("encoder")) impl->encoder = parse_encoder(definition["encoder"], Path(root, "encoder"));
  if (definition.contains("architecture")) {
    impl->architecture =
        std::make_unique<ArchitectureTemplate>(definition["architecture"], space, keys, Path(root, "architecture"));
  } else if (impl->encoder != EncoderKind::kMlp) {
    Path(root, "encoder").fail(definition["encoder"].get<std::string>() + " needs an architecture");
  }
  if (definition.contains("constraints")) {
    impl->constraints =
        parse_constraints(definition["constraints"], keys, impl->architecture.get(), Path(root, "constraints"));
  }
  return Annotation(std::move(impl));
}

Annotation Annotation::parse(const std::string& text, const SearchSpace& space) {
  return text.empty() ? none() : parse(parse_json(text, "annotation"), space);
}

Annotation Annotation::load(const std::string& file, const SearchSpace& space) {
  const Json definition = load_json_or_yaml(file, YamlScalars::kAsNni);
  try {
    return parse(definition, space);
  } catch (const InputError& error) {
    throw InputError(file + ": " + error.what());
  }
}

Annotation Annotation::load(const std::string& file, const std::string& space_file, const SearchSpace& space) {
  const std::string found = file.empty() ? find_beside(space_file) : file;
  return found.empty() ? none() : load(found, space);
}

std::string Annotation::find_beside(const std::string& space_file) {
  for (const char* extension : {".hyperfd.yaml", ".hyperfd.yml", ".hyperfd.json"}) {
    std::filesystem::path file(space_file);
    file.replace_extension(extension);
    std::error_code ignored;
    if (std::filesystem::is_regular_file(file, ignored)) return file.string();
  }
  return "";
}

const Json& Annotation::definition() const {
  return impl_->definition;
}
std::string Annotation::text() const {
  return impl_->definition.is_null() ? "" : impl_->definition.dump();
}
EncoderKind Annotation::encoder() const {
  return impl_->encoder;
}
const ArchitectureTemplate* Annotation::architecture() const {
  return impl_->architecture.get();
}
const std::vector<std::unique_ptr<const Constraint>>& Annotation::constraints() const {
  return impl_->constraints;
}

const Constraint* Annotation::find_violated(const Configuration& configuration) const {
  for (const auto& constraint : impl_->constraints) {
    if (constraint->violation(configuration)) return constraint.get();
  }
  return nullptr;
}

void Annotation::check(const Configuration& configuration) const {
  for (const auto& constraint : impl_->constraints) {
    if (const auto problem = constraint->violation(configuration)) {
      throw InputError("constraint " + constraint->name() + ": " + *problem);
    }
  }
}

}  // namespace hyperfd
