#pragma once

#include <string>
#include <vector>

namespace hyperfd {

// The known name closest to `name` (edit distance at most a third of its length, at least 2), or "" if none is close.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);

// `unknown key "loclr"; did you mean "lr"?` or `…; known keys: a, b, c`. `kind` is the word for what is unknown ("key", "policy").
std::string unknown_name_message(const std::string& kind, const std::string& name, const std::vector<std::string>& known);

}  // namespace hyperfd
