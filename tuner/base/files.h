#pragma once

#include <string>
#include <string_view>

namespace hyperfd {

// The whole content of a file. Throws InputError that names it.
std::string read_file(const std::string& file);

// Replaces `file` by `content` so that after a crash at any moment either the old or the new content is there:
// written beside it, flushed, renamed; a link to a file stays a link. Makes missing folders. Throws Error, InputError
// when something else than a file is there: a folder, a device, a pipe.
void write_file_atomically(const std::string& file, std::string_view content);

// $XDG_DATA_HOME/hyperfd, else ~/.local/share/hyperfd. Not created here.
std::string user_data_directory();

}  // namespace hyperfd
