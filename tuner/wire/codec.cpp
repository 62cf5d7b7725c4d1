#include "tuner/wire/codec.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include <msgpack.hpp>

#include "tuner/base/names.h"

namespace hyperfd::wire {
namespace {

constexpr std::size_t kMaxItems = 100'000;  // in one array or map
constexpr std::size_t kMaxDepth = 8;

// ---- Packing ----

using Packer = msgpack::packer<msgpack::sbuffer>;

template <typename Record>
void pack_record(Packer& packer, const Record& record);

void pack(Packer& packer, const std::string& value) {
  packer.pack(value);
}
void pack(Packer& packer, std::int64_t value) {
  packer.pack(value);
}
void pack(Packer& packer, bool value) {
  packer.pack(value);
}
void pack(Packer& packer, const std::optional<double>& value) {
  if (value) {
    packer.pack(*value);
  } else {
    packer.pack_nil();
  }
}
// Binary data, of a little-endian machine as all are that we build for.
void pack(Packer& packer, const Floats& numbers) {
  const auto size = static_cast<std::uint32_t>(numbers.size() * sizeof(float));
  packer.pack_bin(size);
  packer.pack_bin_body(reinterpret_cast<const char*>(numbers.data()), size);
}
void pack(Packer& packer, const Bytes& bytes) {
  packer.pack_bin(static_cast<std::uint32_t>(bytes.size()));
  packer.pack_bin_body(reinterpret_cast<const char*>(bytes.data()), static_cast<std::uint32_t>(bytes.size()));
}
void pack(Packer& packer, const std::optional<std::int64_t>& value) {
  if (value) {
    packer.pack(*value);
  } else {
    packer.pack_nil();
  }
}
template <typename Value>
void pack(Packer& packer, const Value& value) {
  if constexpr (std::is_enum_v<Value>) {
    packer.pack(to_word(value));
  } else {
    pack_record(packer, value);
  }
}
template <typename Item>
void pack(Packer& packer, const std::vector<Item>& items) {
  packer.pack_array(static_cast<std::uint32_t>(items.size()));
  for (const Item& item : items) pack(packer, item);
}

struct FieldCounter {
  std::uint32_t count = 0;
  template <typename Value>
  void operator()(const char*, const Value&) {
    ++count;
  }
  template <typename Value>
  void optional(const char*, const std::optional<Value>& value) {
    count += value.has_value();
  }
};

struct FieldPacker {
  Packer& packer;
  template <typename Value>
  void operator()(const char* key, const Value& value) {
    packer.pack(key);
    pack(packer, value);
  }
  template <typename Value>
  void optional(const char* key, const std::optional<Value>& value) {
    if (value) (*this)(key, *value);
  }
};

template <typename Record>
void pack_record(Packer& packer, const Record& record) {
  FieldCounter counter;
  Record::fields(record, counter);
  packer.pack_map(counter.count);
  FieldPacker visitor{packer};
  Record::fields(record, visitor);
}

// ---- Unpacking ----

[[noreturn]] void malformed(const std::string& message) {
  throw MalformedMessage("malformed", message);
}

const char* type_name(const msgpack::object& object) {
  switch (object.type) {
    case msgpack::type::NIL:
      return "nil";
    case msgpack::type::BOOLEAN:
      return "a boolean";
    case msgpack::type::POSITIVE_INTEGER:
    case msgpack::type::NEGATIVE_INTEGER:
      return "an integer";
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      return "a float";
    case msgpack::type::STR:
      return "a string";
    case msgpack::type::BIN:
      return "binary data";
    case msgpack::type::ARRAY:
      return "an array";
    case msgpack::type::MAP:
      return "a map";
    case msgpack::type::EXT:
      return "an extension";
  }
  return "something unknown";
}

[[noreturn]] void mistyped(const std::string& path, const char* expected, const msgpack::object& object) {
  malformed(path + ": expected " + expected + ", got " + type_name(object));
}

// The length in bytes of the UTF-8 character at `i`; 0 if there is none, or NUL.
std::size_t character_length(std::string_view text, std::size_t i) {
  const auto byte = static_cast<unsigned char>(text[i]);
  const std::size_t length = byte < 0x80 ? 1 : byte >> 5 == 6 ? 2 : byte >> 4 == 14 ? 3 : byte >> 3 == 30 ? 4 : 0;
  if (byte == 0 || length == 0 || i + length > text.size()) return 0;
  std::uint32_t point = length == 1 ? byte : byte & (0x7Fu >> length);
  for (std::size_t j = 1; j < length; ++j) {
    const auto next = static_cast<unsigned char>(text[i + j]);
    if (next >> 6 != 2) return 0;
    point = point << 6 | (next & 0x3F);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = point >= 0xD800 && point < 0xE000;
  return point < kSmallest[length] || point > 0x10FFFF || is_surrogate ? 0 : length;
}

// Text goes into the database, logs and JSON, none of which can carry anything but UTF-8 without NUL.
bool is_clean_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

// The entries of a map by key, each of which must be asked for: what is left over at the end is an error.
class MapReader {
 public:
  MapReader(const msgpack::object& object, std::string path) : path_(std::move(path)) {
    if (object.type != msgpack::type::MAP) mistyped(path_.empty() ? "message" : path_, "a map", object);
    for (std::uint32_t i = 0; i < object.via.map.size; ++i) {
      const msgpack::object& key = object.via.map.ptr[i].key;
      if (key.type != msgpack::type::STR) mistyped(child("(key)"), "a string", key);
      std::string name(key.via.str.ptr, key.via.str.size);
      if (!is_clean_text(name)) malformed(child("(key)") + ": expected UTF-8 text");
      if (find(name)) malformed(child(name) + ": appears twice");
      if (entries_.size() == 32) malformed((path_.empty() ? "message" : path_) + ": more keys than any message has");
      entries_.emplace_back(std::move(name), &object.via.map.ptr[i].val);
    }
  }

  template <typename Value>
  void operator()(const char* key, Value& value) {
    known_.emplace_back(key);
    const msgpack::object* object = find(key);
    if (!object) malformed(child(key) + ": missing");
    read(*object, child(key), value);
  }

  template <typename Value>
  void optional(const char* key, std::optional<Value>& value) {
    known_.emplace_back(key);
    if (const msgpack::object* object = find(key)) read(*object, child(key), value.emplace());
  }

  const msgpack::object& get(const char* key) {
    known_.emplace_back(key);
    const msgpack::object* object = find(key);
    if (!object) malformed(child(key) + ": missing");
    return *object;
  }

  void finish() const {
    for (const auto& [name, object] : entries_) {
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      malformed(child(name.substr(0, 60)) + ": " + unknown_name_message("key", name.substr(0, 60), known_));
    }
  }

 private:
  static void read(const msgpack::object& object, const std::string& path, std::string& value) {
    if (object.type != msgpack::type::STR) mistyped(path, "a string", object);
    const std::string_view text(object.via.str.ptr, object.via.str.size);
    if (!is_clean_text(text)) malformed(path + ": expected UTF-8 text without NUL");
    value = text;
  }
  static void read(const msgpack::object& object, const std::string& path, std::int64_t& value) {
    if (object.type == msgpack::type::NEGATIVE_INTEGER) {
      value = object.via.i64;
    } else if (object.type == msgpack::type::POSITIVE_INTEGER) {
      if (object.via.u64 > static_cast<std::uint64_t>(INT64_MAX)) {
        malformed(path + ": expected an integer below 2^63, got " + std::to_string(object.via.u64));
      }
      value = static_cast<std::int64_t>(object.via.u64);
    } else {
      mistyped(path, "an integer", object);
    }
  }
  static void read(const msgpack::object& object, const std::string& path, bool& value) {
    if (object.type != msgpack::type::BOOLEAN) mistyped(path, "a boolean", object);
    value = object.via.boolean;
  }
  static void read(const msgpack::object& object, const std::string& path, std::optional<double>& value) {
    value.reset();
    if (object.type == msgpack::type::NIL) return;
    const bool is_number = object.type == msgpack::type::FLOAT32 || object.type == msgpack::type::FLOAT64 ||
                           object.type == msgpack::type::POSITIVE_INTEGER ||
                           object.type == msgpack::type::NEGATIVE_INTEGER;
    if (!is_number) mistyped(path, "a number", object);
    value = object.as<double>();
  }
  static void read(const msgpack::object& object, const std::string& path, Floats& numbers) {
    if (object.type != msgpack::type::BIN) mistyped(path, "binary data", object);
    if (object.via.bin.size % sizeof(float) != 0) {
      malformed(path + ": expected float32 numbers, got " + std::to_string(object.via.bin.size) + " bytes");
    }
    numbers.resize(object.via.bin.size / sizeof(float));
    if (!numbers.empty()) std::memcpy(numbers.data(), object.via.bin.ptr, object.via.bin.size);
  }
  static void read(const msgpack::object& object, const std::string& path, Bytes& bytes) {
    if (object.type != msgpack::type::BIN) mistyped(path, "binary data", object);
    bytes.assign(object.via.bin.ptr, object.via.bin.ptr + object.via.bin.size);
  }
  static void read(const msgpack::object& object, const std::string& path, std::optional<std::int64_t>& value) {
    if (object.type == msgpack::type::NIL) {
      value.reset();
    } else {
      read(object, path, value.emplace());
    }
  }
  template <typename Item>
  static void read(const msgpack::object& object, const std::string& path, std::vector<Item>& items) {
    if (object.type != msgpack::type::ARRAY) mistyped(path, "an array", object);
    items.resize(object.via.array.size);
    for (std::size_t i = 0; i < items.size(); ++i) {
      read(object.via.array.ptr[i], path + "[" + std::to_string(i) + "]", items[i]);
    }
  }
  template <typename Value>
  static void read(const msgpack::object& object, const std::string& path, Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      std::string word;
      read(object, path, word);
      if (const auto known = from_word<Value>(word)) {
        value = *known;
        return;
      }
      const auto list = words(Value{});
      throw MalformedMessage(
          "input", path + ": " + unknown_name_message("word", word.substr(0, 60), {list.begin(), list.end()}));
    } else {
      MapReader reader(object, path);
      Value::fields(value, reader);
      reader.finish();
    }
  }

  const msgpack::object* find(const std::string& key) const {
    for (const auto& [name, object] : entries_) {
      if (name == key) return object;
    }
    return nullptr;
  }
  std::string child(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }

  std::string path_;
  std::vector<std::pair<std::string, const msgpack::object*>> entries_;
  std::vector<std::string> known_;
};

template <std::size_t Index = 0>
Body decode_body(const std::string& type, const msgpack::object& object) {
  if constexpr (Index == std::variant_size_v<Body>) {
    throw MalformedMessage("unknown_type", "type: no message is called \"" + type.substr(0, 60) + "\"");
  } else {
    using Alternative = std::variant_alternative_t<Index, Body>;
    if (type != Alternative::kType) return decode_body<Index + 1>(type, object);
    Alternative body;
    MapReader reader(object, "body");
    Alternative::fields(body, reader);
    reader.finish();
    return body;
  }
}

void check_id(const char* key, const std::string& id) {
  if (id.empty() || id.size() > kMaxIdBytes) {
    malformed(std::string(key) + ": expected 1 to " + std::to_string(kMaxIdBytes) + " bytes, got " +
              std::to_string(id.size()));
  }
}

msgpack::object_handle unpack(std::string_view frame) {
  if (frame.size() > kMaxFrameBytes) malformed("frame: more than " + std::to_string(kMaxFrameBytes) + " bytes");
  std::size_t used = 0;
  msgpack::object_handle handle;
  try {
    handle = msgpack::unpack(
        frame.data(), frame.size(), used, nullptr, nullptr,
        msgpack::unpack_limit(kMaxItems, kMaxItems, kMaxFrameBytes, kMaxFrameBytes, kMaxFrameBytes, kMaxDepth));
  } catch (const msgpack::insufficient_bytes&) {
    malformed("frame: not MessagePack: it ends in the middle of a value");
  } catch (const msgpack::size_overflow&) {
    malformed("frame: nested deeper than " + std::to_string(kMaxDepth) + " levels, or more than " +
              std::to_string(kMaxItems) + " items in one array or map");
  } catch (const msgpack::unpack_error&) {
    malformed("frame: not MessagePack");
  }
  if (used != frame.size()) malformed("frame: bytes after the end of the message");
  return handle;
}

}  // namespace

std::string clean_text(std::string text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text, i);
    if (length == 0) text[i] = '?';
    i += std::max<std::size_t>(length, 1);
  }
  return text;
}

std::string encode(const Message& message) {
  msgpack::sbuffer buffer;
  Packer packer(buffer);
  packer.pack_map(5);
  packer.pack("version");
  packer.pack(kProtocolVersion);
  std::visit(
      [&](const auto& body) {
        packer.pack("type");
        packer.pack(body.kType);
        packer.pack("experiment");
        packer.pack(message.experiment);
        packer.pack("request");
        packer.pack(message.request);
        packer.pack("body");
        pack_record(packer, body);
      },
      message.body);
  return std::string(buffer.data(), buffer.size());
}

Message decode(std::string_view frame) {
  Message message;
  try {
    const msgpack::object_handle handle = unpack(frame);
    MapReader envelope(handle.get(), "");
    // First what an answer needs, then the version, since everything else may differ in another one.
    envelope("request", message.request);
    envelope("experiment", message.experiment);
    std::int64_t version = 0;
    envelope("version", version);
    if (version != kProtocolVersion) {
      throw MalformedMessage("version", "version: this server speaks version " + std::to_string(kProtocolVersion) +
                                            " of the protocol, got " + std::to_string(version));
    }
    std::string type;
    envelope("type", type);
    const msgpack::object& body = envelope.get("body");
    envelope.finish();
    message.body = decode_body(type, body);
    if (std::holds_alternative<Failure>(message.body)) return message;  // may answer a frame without readable ids
    check_id("request", message.request);
    check_id("experiment", message.experiment);
    return message;
  } catch (MalformedMessage& error) {
    const auto cut = [](const std::string& id) { return id.size() <= kMaxIdBytes ? id : std::string(); };
    error.experiment = cut(message.experiment);
    error.request = cut(message.request);
    throw;
  }
}

}  // namespace hyperfd::wire
