#pragma once

#include <set>
#include <string>

namespace hyperfd::wire {

// CURVE keys travel and are kept as ZeroMQ's Z85 text, 40 characters.
struct KeyPair {
  std::string public_key;
  std::string secret_key;
};

KeyPair make_key_pair();
// Throws InputError when `secret_key` is not a key.
std::string public_key_of(const std::string& secret_key);

// Makes `folder` (0700) with server.key, server.pub, client.key, client.pub (keys) and clients.allow (public keys of
// the clients that a server lets in), all 0600. Throws InputError when one of the files exists: keys are never
// overwritten.
void write_key_files(const std::string& folder);

// The one key of a file, in which empty lines and lines that start with # are skipped. Throws InputError that names the
// file.
std::string read_key(const std::string& file);
// All of them, none is fine.
std::set<std::string> read_allowed_keys(const std::string& file);

}  // namespace hyperfd::wire
