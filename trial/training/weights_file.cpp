#include "trial/training/weights_file.h"

#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "trial/training/pickle.h"
#include "trial/training/zip_archive.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

constexpr const char* kTensors = "tensors";
constexpr const char* kDescription = "description";
constexpr const char* kState = "state_dict";        // in training checkpoints
constexpr const char* kParallelPrefix = "module.";  // of networks that were trained by torch.nn.DataParallel
// What PyTorch's format before 1.6 begins with: the pickle of 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyMagic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr std::int64_t kLegacyVersion = 1001;

// The bytes of each storage, within the file.
using FindStorage = std::function<std::string_view(const std::string& key)>;

// Copies a tensor out of the file.
torch::Tensor make_tensor(const PickledTensor& description, const FindStorage& find_storage) {
  const std::string_view bytes = find_storage(description.storage.key);
  const auto width = static_cast<std::int64_t>(torch::elementSize(description.storage.type));
  const auto elements = static_cast<std::int64_t>(bytes.size()) / width;
  // Neither more elements than the storage has (a stride of 0 would repeat one at will), nor any outside.
  std::int64_t count = 1, last = 0;
  const auto grow = [&](std::int64_t& number, std::int64_t more) {
    if (more > elements - number) throw InputError("the tensor lies outside of its storage");
    number += more;
  };
  grow(last, description.storage.first);
  grow(last, description.offset);
  if (description.sizes.size() != description.strides.size())
    throw InputError("the tensor has no stride for each size");
  for (std::size_t i = 0; i < description.sizes.size(); ++i) {
    const std::int64_t size = description.sizes[i], stride = description.strides[i];
    if (size == 0) return torch::empty(description.sizes, description.storage.type);
    if (size > elements / count) throw InputError("the tensor has more elements than its storage");
    count *= size;
    if (size > 1 && stride > elements / (size - 1)) throw InputError("the tensor lies outside of its storage");
    grow(last, (size - 1) * stride);
  }
  if (last >= elements) throw InputError("the tensor lies outside of its storage");
  // Copied first: bytes in a file lie at any address, numbers must not.
  const torch::Tensor storage = torch::empty({elements}, description.storage.type);
  std::memcpy(storage.data_ptr(), bytes.data(), static_cast<std::size_t>(elements * width));
  return storage.as_strided(description.sizes, description.strides, description.storage.first + description.offset)
      .clone(torch::MemoryFormat::Contiguous);
}

std::map<std::string, torch::Tensor> named_tensors(const PickledValue& value, const FindStorage& find_storage,
                                                   std::size_t file_size) {
  const auto* dictionary = value.dictionary();
  if (!dictionary) throw InputError("expected a dictionary of named tensors");
  std::map<std::string, torch::Tensor> tensors;
  std::size_t total = 0;
  for (const auto& [key, item] : *dictionary) {
    if (!item.tensor()) throw InputError(key + ": expected a tensor");
    const std::string prefix = kParallelPrefix;
    const std::string name = key.compare(0, prefix.size(), prefix) == 0 ? key.substr(prefix.size()) : key;
    try {
      torch::Tensor& tensor = tensors[name] = make_tensor(*item.tensor(), find_storage);
      total += tensor.nbytes();
      if (tensor.scalar_type() == torch::kHalf) tensor = tensor.to(torch::kFloat);
      if (!torch::isfinite(tensor).all().item<bool>()) throw InputError("not all numbers are finite");
    } catch (const InputError& error) {
      throw InputError(key + ": " + error.what());
    }
    // Tensors may share a storage, but not so that a small file fills the memory.
    if (total > 2 * file_size) throw InputError("the tensors together are larger than the file");
  }
  return tensors;
}

Weights weights_from(const PickledValue& content, const FindStorage& find_storage, std::size_t file_size) {
  const auto* dictionary = content.dictionary();
  if (dictionary && dictionary->count(kTensors)) {
    const auto description = dictionary->find(kDescription);
    return {named_tensors(dictionary->at(kTensors), find_storage, file_size),
            description != dictionary->end() && description->second.text() ? *description->second.text() : ""};
  }
  const bool is_checkpoint = dictionary && dictionary->count(kState) && dictionary->at(kState).dictionary();
  return {named_tensors(is_checkpoint ? dictionary->at(kState) : content, find_storage, file_size), ""};
}

Weights read_archive(std::string_view bytes) {
  const ZipArchive archive(bytes);
  const std::string folder = archive.folder();
  if (archive.has(folder + "byteorder") && archive.record(folder + "byteorder") != "little") {
    throw InputError("the weights were saved on a big-endian machine");
  }
  const auto pickle = read_pickle(archive.record(folder + "data.pkl"));
  return weights_from(
      pickle->value, [&](const std::string& key) { return archive.record(folder + "data/" + key); }, bytes.size());
}

// PyTorch's format before 1.6 (torch/serialization.py, _legacy_load): pickles of a magic number, of the format's
// version, of the machine, of the object and of the storages' keys; then each storage: its length, its bytes.
Weights read_legacy(std::string_view bytes) {
  const auto version = read_pickle(bytes, kLegacyMagic.size());
  if (!version->value.number() || *version->value.number() != kLegacyVersion) {
    throw InputError("expected version " + std::to_string(kLegacyVersion) + " of PyTorch's older format");
  }
  const auto machine = read_pickle(bytes, version->end);
  const auto* properties = machine->value.dictionary();
  const auto little = properties ? properties->find("little_endian") : PickledValue::Dictionary::const_iterator{};
  if (!properties || little == properties->end() || !little->second.number() || *little->second.number() != 1) {
    throw InputError("the weights were not saved on a little-endian machine");
  }
  const auto object = read_pickle(bytes, machine->end);
  const auto keys = read_pickle(bytes, object->end);
  if (!keys->value.list()) throw InputError("expected a list of storages");
  std::map<std::string, std::string_view> storages;
  std::size_t at = keys->end;
  for (const PickledValue& key : *keys->value.list()) {
    const auto type = key.text() ? object->types.find(*key.text()) : object->types.end();
    if (type == object->types.end()) throw InputError("the list of storages names one that no tensor has");
    const std::string where = "storage " + type->first;
    std::int64_t elements;
    if (bytes.size() - at < sizeof elements) throw InputError(where + " is missing: was the file cut off?");
    std::memcpy(&elements, bytes.data() + at, sizeof elements);
    at += sizeof elements;
    const std::size_t width = torch::elementSize(type->second);
    if (elements < 0 || static_cast<std::size_t>(elements) > (bytes.size() - at) / width) {
      throw InputError(where + " has " + std::to_string(elements) + " elements, more than the file holds");
    }
    storages[type->first] = bytes.substr(at, static_cast<std::size_t>(elements) * width);
    at += static_cast<std::size_t>(elements) * width;
  }
  const auto find_storage = [&](const std::string& key) {
    const auto found = storages.find(key);
    if (found == storages.end()) throw InputError("storage " + key + " is missing");
    return found->second;
  };
  return weights_from(object->value, find_storage, bytes.size());
}

}  // namespace

void save_weights(const std::string& file, const Weights& weights) {
  c10::impl::GenericDict tensors(c10::StringType::get(), c10::TensorType::get());
  for (const auto& [name, tensor] : weights.tensors) tensors.insert(name, tensor);
  c10::impl::GenericDict content(c10::StringType::get(), c10::AnyType::get());
  content.insert(kDescription, weights.description);
  content.insert(kTensors, tensors);
  const std::vector<char> bytes = torch::pickle_save(content);
  write_file_atomically(file, {bytes.data(), bytes.size()});
}

Weights load_weights(const std::string& file) {
  const std::string bytes = read_file(file);
  try {
    if (bytes.compare(0, 2, "PK") == 0) return read_archive(bytes);
    if (bytes.compare(0, kLegacyMagic.size(), kLegacyMagic) == 0) return read_legacy(bytes);
  } catch (const InputError& error) {
    throw InputError(file + ": " + error.what());
  }
  throw InputError(file + ": expected weights that PyTorch or `hyperfd-trial` saved");
}

}  // namespace hyperfd
