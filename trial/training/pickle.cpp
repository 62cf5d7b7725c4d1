#include "trial/training/pickle.h"

#include <cstring>

#include "tuner/base/error.h"

namespace hyperfd {
namespace {

constexpr const char* kOrderedDictionary = "collections OrderedDict";
constexpr const char* kRebuildTensor = "torch._utils _rebuild_tensor_v2";
constexpr const char* kRebuildParameter = "torch._utils _rebuild_parameter";
// What LibTorch wraps typed dictionaries in; the type says nothing new.
constexpr const char* kRestoreType = "torch.jit._pickle restore_type_tag";

torch::ScalarType scalar_type(const std::string& storage_class) {
  static const std::map<std::string, torch::ScalarType> known = {
      {"torch FloatStorage", torch::kFloat}, {"torch DoubleStorage", torch::kDouble},
      {"torch HalfStorage", torch::kHalf},   {"torch LongStorage", torch::kLong},
      {"torch IntStorage", torch::kInt},     {"torch ByteStorage", torch::kByte},
      {"torch BoolStorage", torch::kBool},   {"torch BFloat16Storage", torch::kBFloat16}};
  const auto found = known.find(storage_class);
  if (found == known.end()) throw InputError("weights of type " + storage_class + " are not supported");
  return found->second;
}

// A stack machine for the part of pickle protocol 2 that weights files use.
class Reader {
 public:
  Reader(const std::string& bytes, const std::function<std::string(const std::string&)>& record)
      : bytes_(bytes), record_(record) {}

  PickledValue read() {
    while (true) {
      const char code = take(1)[0];
      if (code == '.') return pop();
      step(code);
    }
  }

 private:
  void step(char code);
  void step_number(char code);
  void step_container(char code);
  void reduce();
  void set_items();
  PickledValue rebuild_tensor(const PickledValue::Tuple& arguments);

  const char* take(std::size_t count) {
    if (count > bytes_.size() - at_) throw InputError("the pickle ends in the middle");
    at_ += count;
    return bytes_.data() + at_ - count;
  }
  template <typename Number>
  Number take_number() {
    Number number;
    std::memcpy(&number, take(sizeof number), sizeof number);  // little-endian, as is every machine LibTorch runs on
    return number;
  }
  std::string take_line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string::npos) throw InputError("the pickle ends in the middle");
    const std::string line = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return line;
  }
  template <typename Value>
  void push(Value value) {
    stack_.emplace_back(std::move(value));
  }
  PickledValue pop() {
    if (stack_.empty()) throw InputError("the pickle takes from an empty stack");
    PickledValue value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  PickledValue& top() {
    if (stack_.empty()) throw InputError("the pickle takes from an empty stack");
    return stack_.back();
  }
  PickledValue::Tuple pop_last(std::size_t count) {
    if (count > stack_.size()) throw InputError("the pickle takes from an empty stack");
    const auto begin = stack_.end() - static_cast<std::ptrdiff_t>(count);
    PickledValue::Tuple items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return items;
  }
  PickledValue::Tuple pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) throw InputError("the pickle misses a mark");
    const std::size_t count = stack_.size() - marks_.back();
    marks_.pop_back();
    return pop_last(count);
  }

  const std::string& bytes_;
  const std::function<std::string(const std::string&)>& record_;
  std::size_t at_ = 0;
  std::vector<PickledValue> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint32_t, PickledValue> memo_;
  std::map<std::string, std::string> records_;
};

void Reader::step(char code) {
  switch (code) {
    case '\x80':
      take(1);
      return;  // PROTO
    case '(':
      marks_.push_back(stack_.size());
      return;
    case '0':
      pop();
      return;
    case 'N':
      stack_.emplace_back();
      return;
    case 'X': {  // BINUNICODE
      const auto length = take_number<std::uint32_t>();
      push(std::string(take(length), length));
      return;
    }
    case 'c': {  // GLOBAL
      const std::string module = take_line();
      push(PickledValue::Global{module + " " + take_line()});
      return;
    }
    case 'q':
      memo_[take_number<std::uint8_t>()] = top();
      return;
    case 'r':
      memo_[take_number<std::uint32_t>()] = top();
      return;
    case 'h':
    case 'j': {
      const std::uint32_t index = code == 'h' ? take_number<std::uint8_t>() : take_number<std::uint32_t>();
      const auto found = memo_.find(index);
      if (found == memo_.end()) throw InputError("the pickle refers to what it does not have");
      stack_.push_back(found->second);
      return;
    }
    case 'R':
      reduce();
      return;
    case 'b':
      pop();
      return;    // BUILD: a dictionary's attributes, which weights have no use for
    case 'Q': {  // BINPERSID: ("storage", class, key, device, size)
      const PickledValue id = pop();
      const auto* parts = id.tuple();
      if (!parts || parts->size() < 3 || !(*parts)[1].global() || !(*parts)[2].text()) {
        throw InputError("the pickle describes a storage in an unknown way");
      }
      push(PickledValue::Storage{*(*parts)[2].text(), scalar_type((*parts)[1].global()->name)});
      return;
    }
    default:
      step_number(code);
  }
}

void Reader::step_number(char code) {
  switch (code) {
    case 'K':
      push(std::int64_t{take_number<std::uint8_t>()});
      return;
    case 'M':
      push(std::int64_t{take_number<std::uint16_t>()});
      return;
    case 'J':
      push(std::int64_t{take_number<std::int32_t>()});
      return;
    case '\x88':
      push(std::int64_t{1});
      return;
    case '\x89':
      push(std::int64_t{0});
      return;
    case '\x8a': {  // LONG1: a whole number of up to 8 bytes
      const auto length = take_number<std::uint8_t>();
      if (length > 8) throw InputError("the pickle holds a number of more than 64 bits");
      std::int64_t number = 0;
      const char* digits = take(length);
      if (length > 0 && digits[length - 1] < 0) number = -1;
      std::memcpy(&number, digits, length);
      push(number);
      return;
    }
    case 'G': {  // BINFLOAT: big-endian
      char swapped[8];
      const char* digits = take(8);
      for (int i = 0; i < 8; ++i) swapped[i] = digits[7 - i];
      double number;
      std::memcpy(&number, swapped, sizeof number);
      push(number);
      return;
    }
    default:
      step_container(code);
  }
}

void Reader::step_container(char code) {
  const auto push_tuple = [&](PickledValue::Tuple items) {
    push(std::make_shared<PickledValue::Tuple>(std::move(items)));
  };
  switch (code) {
    case ')':
      push_tuple({});
      return;
    case '\x85':
      push_tuple(pop_last(1));
      return;
    case '\x86':
      push_tuple(pop_last(2));
      return;
    case '\x87':
      push_tuple(pop_last(3));
      return;
    case 't':
      push_tuple(pop_to_mark());
      return;
    case ']':
      push_tuple({});
      return;
    case '}':
      push(std::make_shared<PickledValue::Dictionary>());
      return;
    case 's':
      marks_.push_back(stack_.size() < 2 ? stack_.size() : stack_.size() - 2);
      set_items();
      return;
    case 'u':
      set_items();
      return;
    default:
      throw InputError("the pickle holds what weights do not (operation " +
                       std::to_string(static_cast<unsigned char>(code)) + ")");
  }
}

void Reader::set_items() {
  const PickledValue::Tuple items = pop_to_mark();
  PickledValue::Dictionary* dictionary = top().dictionary();
  if (!dictionary || items.size() % 2 != 0) throw InputError("the pickle fills what is no dictionary");
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (!items[i].text()) throw InputError("the pickle has a dictionary whose keys are no text");
    (*dictionary)[*items[i].text()] = items[i + 1];
  }
}

void Reader::reduce() {
  const PickledValue arguments = pop(), function = pop();
  if (!function.global() || !arguments.tuple()) throw InputError("the pickle calls what is no function");
  const std::string& name = function.global()->name;
  if (name == kOrderedDictionary) {
    push(std::make_shared<PickledValue::Dictionary>());
  } else if (name == kRebuildTensor) {
    stack_.push_back(rebuild_tensor(*arguments.tuple()));
  } else if ((name == kRebuildParameter || name == kRestoreType) && !arguments.tuple()->empty()) {
    stack_.push_back(arguments.tuple()->front());
  } else {
    throw InputError("the pickle calls " + name + ", which weights have no use for");
  }
}

PickledValue Reader::rebuild_tensor(const PickledValue::Tuple& arguments) {
  const auto numbers = [](const PickledValue& value) {
    std::vector<std::int64_t> list;
    if (!value.tuple()) throw InputError("the pickle describes a tensor in an unknown way");
    for (const PickledValue& item : *value.tuple()) {
      if (!item.number() || *item.number() < 0) throw InputError("the pickle describes a tensor in an unknown way");
      list.push_back(*item.number());
    }
    return list;
  };
  if (arguments.size() < 4 || !arguments[0].storage() || !arguments[1].number()) {
    throw InputError("the pickle describes a tensor in an unknown way");
  }
  const auto& [key, type] = *arguments[0].storage();
  if (!records_.count(key)) records_[key] = record_(key);
  const std::string& content = records_[key];
  const auto elements = static_cast<std::int64_t>(content.size() / torch::elementSize(type));
  const torch::Tensor storage = torch::from_blob(const_cast<char*>(content.data()), {elements}, type);
  // as_strided() checks that the tensor lies within the storage.
  return PickledValue(
      torch::Tensor(storage.as_strided(numbers(arguments[2]), numbers(arguments[3]), *arguments[1].number()).clone()));
}

}  // namespace

const PickledValue::Dictionary* PickledValue::dictionary() const {
  const auto* pointer = std::get_if<std::shared_ptr<Dictionary>>(&value_);
  return pointer ? pointer->get() : nullptr;
}

PickledValue::Dictionary* PickledValue::dictionary() {
  auto* pointer = std::get_if<std::shared_ptr<Dictionary>>(&value_);
  return pointer ? pointer->get() : nullptr;
}

const PickledValue::Tuple* PickledValue::tuple() const {
  const auto* pointer = std::get_if<std::shared_ptr<Tuple>>(&value_);
  return pointer ? pointer->get() : nullptr;
}

PickledValue read_pickle(const std::string& bytes, const std::function<std::string(const std::string&)>& record) {
  return Reader(bytes, record).read();
}

}  // namespace hyperfd
