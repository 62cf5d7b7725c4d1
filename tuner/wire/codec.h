#pragma once

#include <string>
#include <string_view>

#include "tuner/base/error.h"
#include "tuner/wire/messages.h"

namespace hyperfd::wire {

// A frame that is not a message of the protocol. `code` is the ER code; `experiment` and `request` are what could still
// be read of the envelope ("" if not), so that even such a frame gets an answer its sender can match.
class MalformedMessage : public ProtocolError {
 public:
  MalformedMessage(std::string error_code, const std::string& message)
      : ProtocolError(message), code(std::move(error_code)) {}
  std::string code;
  std::string experiment;
  std::string request;
};

// The frame of a message: a MessagePack map, keys in the order of docs/protocol.md.
std::string encode(const Message& message);

// `text` with a question mark for every byte that is not UTF-8, or NUL: error messages quote what was sent, and cut it.
std::string clean_text(std::string text);

// Throws MalformedMessage that names the field, and nothing else, whatever the bytes are.
Message decode(std::string_view frame);

}  // namespace hyperfd::wire
