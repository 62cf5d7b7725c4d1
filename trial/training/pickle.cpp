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
  Reader(std::string_view bytes, std::size_t at) : bytes_(bytes), at_(at) {}

  std::unique_ptr<Pickle> read() {
    if (at_ > bytes_.size()) throw InputError("the pickle is missing");
    while (true) {
      const char code = take(1)[0];
      if (code == '.') break;
      step(code);
    }
    pickle_->value = pop();
    pickle_->end = at_;
    return std::move(pickle_);
  }

 private:
  void step(char code);
  void step_number(char code);
  void step_container(char code);
  void reduce();
  void set_items();
  void append_items();
  void refer_to_storage();
  PickledTensor rebuild_tensor(const PickledValue::List& arguments) const;

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
    if (end == std::string_view::npos) throw InputError("the pickle ends in the middle");
    const std::string line(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return line;
  }
  template <typename Value>
  void push(Value value) {
    stack_.emplace_back(value);
  }
  // Puts a value into one of the pickle's deques, where it stays.
  template <typename Value>
  Value* keep(std::deque<Value>& owner, Value value) {
    owner.push_back(std::move(value));
    return &owner.back();
  }
  void push_text(std::string text) {
    const std::string* kept = keep(pickle_->texts, std::move(text));
    push(kept);
  }
  void push_list(PickledValue::List items) { push(keep(pickle_->lists, std::move(items))); }
  void push_dictionary() { push(keep(pickle_->dictionaries, {})); }
  PickledValue pop() {
    if (stack_.empty()) throw InputError("the pickle takes from an empty stack");
    const PickledValue value = stack_.back();
    stack_.pop_back();
    return value;
  }
  const PickledValue& top() const {
    if (stack_.empty()) throw InputError("the pickle takes from an empty stack");
    return stack_.back();
  }
  PickledValue::List pop_last(std::size_t count) {
    if (count > stack_.size()) throw InputError("the pickle takes from an empty stack");
    const auto begin = stack_.end() - static_cast<std::ptrdiff_t>(count);
    PickledValue::List items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return items;
  }
  PickledValue::List pop_to_mark() {
    if (marks_.empty() || marks_.back() > stack_.size()) throw InputError("the pickle misses a mark");
    const std::size_t count = stack_.size() - marks_.back();
    marks_.pop_back();
    return pop_last(count);
  }
  // For operations on the last `count` values, which come without a mark.
  void mark_last(std::size_t count) {
    if (count > stack_.size()) throw InputError("the pickle takes from an empty stack");
    marks_.push_back(stack_.size() - count);
  }

  std::string_view bytes_;
  std::size_t at_;
  std::unique_ptr<Pickle> pickle_ = std::make_unique<Pickle>();
  std::vector<PickledValue> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint32_t, PickledValue> memo_;
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
      push_text(std::string(take(length), length));
      return;
    }
    case 'c': {  // GLOBAL
      const std::string module = take_line();
      push(PickledValue::Global{keep(pickle_->texts, module + " " + take_line())});
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
      return;  // BUILD: a dictionary's attributes, which weights have no use for
    case 'Q':
      refer_to_storage();
      return;
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
  switch (code) {
    case ')':
    case ']':
      push_list({});
      return;
    case '\x85':
      push_list(pop_last(1));
      return;
    case '\x86':
      push_list(pop_last(2));
      return;
    case '\x87':
      push_list(pop_last(3));
      return;
    case 't':
      push_list(pop_to_mark());
      return;
    case '}':
      push_dictionary();
      return;
    case 's':
      mark_last(2);
      set_items();
      return;
    case 'u':
      set_items();
      return;
    case 'a':
      mark_last(1);
      append_items();
      return;
    case 'e':
      append_items();
      return;
    default:
      throw InputError("the pickle holds what weights do not (operation " +
                       std::to_string(static_cast<unsigned char>(code)) + ")");
  }
}

void Reader::set_items() {
  const PickledValue::List items = pop_to_mark();
  PickledValue::Dictionary* dictionary = top().dictionary();
  if (!dictionary || items.size() % 2 != 0) throw InputError("the pickle fills what is no dictionary");
  for (std::size_t i = 0; i < items.size(); i += 2) {
    // Optimisers, which training checkpoints carry beside the weights, number their parameters.
    const std::string* text = items[i].text();
    if (!text && !items[i].number()) throw InputError("the pickle has a dictionary whose keys are no text");
    (*dictionary)[text ? *text : std::to_string(*items[i].number())] = items[i + 1];
  }
}

void Reader::append_items() {
  const PickledValue::List items = pop_to_mark();
  PickledValue::List* list = top().list();
  if (!list) throw InputError("the pickle appends to what is no list");
  list->insert(list->end(), items.begin(), items.end());
}

void Reader::reduce() {
  const PickledValue arguments = pop(), function = pop();
  if (!function.global() || !arguments.list()) throw InputError("the pickle calls what is no function");
  const std::string& name = *function.global();
  if (name == kOrderedDictionary) {
    push_dictionary();
  } else if (name == kRebuildTensor) {
    const PickledTensor* tensor = keep(pickle_->tensors, rebuild_tensor(*arguments.list()));
    push(tensor);
  } else if ((name == kRebuildParameter || name == kRestoreType) && !arguments.list()->empty()) {
    stack_.push_back(arguments.list()->front());
  } else {
    throw InputError("the pickle calls " + name + ", which weights have no use for");
  }
}

// ("storage", class, key, device, elements), and in PyTorch's older format the view: None or (key, first, elements).
void Reader::refer_to_storage() {
  const PickledValue id = pop();
  const PickledValue::List* parts = id.list();
  if (!parts || parts->size() < 5 || !(*parts)[1].global() || !(*parts)[2].text() || !(*parts)[4].number()) {
    throw InputError("the pickle describes a storage in an unknown way");
  }
  PickledStorage storage{*(*parts)[2].text(), scalar_type(*(*parts)[1].global())};
  if (*(*parts)[4].number() < 0) throw InputError("the pickle describes a storage of a negative size");
  if (parts->size() > 5 && (*parts)[5].list()) {
    const PickledValue::List& view = *(*parts)[5].list();
    if (view.size() < 2 || !view[1].number() || *view[1].number() < 0) {
      throw InputError("the pickle describes a storage in an unknown way");
    }
    storage.first = *view[1].number();
  }
  if (!pickle_->types.emplace(storage.key, storage.type).second && pickle_->types[storage.key] != storage.type) {
    throw InputError("the pickle gives storage " + storage.key + " two types");
  }
  const PickledStorage* kept = keep(pickle_->storages, std::move(storage));
  push(kept);
}

// (storage, offset, sizes, strides, …)
PickledTensor Reader::rebuild_tensor(const PickledValue::List& arguments) const {
  const auto whole = [](const PickledValue& value) {
    if (!value.number() || *value.number() < 0) throw InputError("the pickle describes a tensor in an unknown way");
    return *value.number();
  };
  const auto numbers = [&](const PickledValue& value) {
    // More dimensions than any tensor has would cost memory each time that such a list is referred to.
    if (!value.list() || value.list()->size() > 8) throw InputError("the pickle describes a tensor in an unknown way");
    std::vector<std::int64_t> list;
    for (const PickledValue& item : *value.list()) list.push_back(whole(item));
    return list;
  };
  if (arguments.size() < 4 || !arguments[0].storage()) {
    throw InputError("the pickle describes a tensor in an unknown way");
  }
  return {*arguments[0].storage(), whole(arguments[1]), numbers(arguments[2]), numbers(arguments[3])};
}

}  // namespace

std::unique_ptr<Pickle> read_pickle(std::string_view bytes, std::size_t at) {
  return Reader(bytes, at).read();
}

}  // namespace hyperfd
