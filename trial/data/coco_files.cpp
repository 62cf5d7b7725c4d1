#include "trial/data/coco_files.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "trial/data/coco_entry.h"
#include "trial/data/json_scanner.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"
#include "tuner/base/python_json.h"

namespace hyperfd {
namespace {

// The fields that we read of any entry, whichever list it is in; empty or absent when it has none.
struct Fields {
  std::string_view id, image_id, category_id, file_name;  // as written
  std::optional<std::array<double, 4>> bbox;
  std::optional<double> score, width, height;
  std::optional<bool> crowd;
};

bool scan_box(JsonScanner& scanner, std::array<double, 4>& box) {
  return scanner.skip('[') && scanner.number(box[0]) && scanner.skip(',') && scanner.number(box[1]) &&
         scanner.skip(',') && scanner.number(box[2]) && scanner.skip(',') && scanner.number(box[3]) &&
         scanner.skip(']');
}

bool scan_field(JsonScanner& scanner, std::string_view key, Fields& fields) {
  double number = 0;
  if (key == "\"id\"") return scanner.id(fields.id);
  if (key == "\"image_id\"") return scanner.id(fields.image_id);
  if (key == "\"category_id\"") return scanner.id(fields.category_id);
  if (key == "\"file_name\"") return scanner.text(fields.file_name);
  if (key == "\"bbox\"") return scan_box(scanner, fields.bbox.emplace());
  if (key == "\"score\"") return scanner.number(fields.score.emplace());
  if (key == "\"width\"") return scanner.number(fields.width.emplace());
  if (key == "\"height\"") return scanner.number(fields.height.emplace());
  if (key == "\"iscrowd\"") {
    if (!scanner.number(number) || (number != 0 && number != 1)) return false;
    fields.crowd = number == 1;
    return true;
  }
  return scanner.skip_plain_value();
}

bool scan_entry(JsonScanner& scanner, Fields& fields) {
  if (!scanner.skip('{')) return false;
  do {
    std::string_view key;
    if (!scanner.text(key) || !scanner.skip(':') || !scan_field(scanner, key, fields)) return false;
  } while (scanner.skip(','));
  return scanner.skip('}');
}

// UTF-8's byte order mark, which some editors write.
std::string without_mark(std::string text) {
  return text.compare(0, 3, "\xEF\xBB\xBF") == 0 ? text.substr(3) : text;
}

// A whole file, read entry by entry: quickly where it is plain, else by the JSON parser.
class CocoFile {
 public:
  explicit CocoFile(const std::string& file) : file_(file), text_(without_mark(read_file(file))), scanner_(text_) {}

  // The list under the scanner. `take` gets the fields of each entry that is plain and says whether they suffice; what
  // it gets of the others is a CocoEntry, which explains what is wrong.
  template <typename TakeFields, typename TakeEntry>
  void each(const char* list, const TakeFields& take_fields, const TakeEntry& take_entry) {
    if (!scanner_.skip('[')) {
      throw InputError(file_ + ": " +
                       (*list ? list + std::string(": expected a list") : "expected a list of detections") + ", got " +
                       brief(parse_value()));
    }
    if (scanner_.skip(']')) return;
    std::size_t index = 0;
    do {
      const char* begin = scanner_.here();
      Fields fields;
      if (!scan_entry(scanner_, fields) || !take_fields(fields)) {
        scanner_.go(begin);
        const Json value = parse_value();
        take_entry(CocoEntry(file_, list, index, value));
      }
      ++index;
    } while (scanner_.skip(','));
    if (!scanner_.skip(']')) malformed();
  }

  // The members of the object under the scanner, which is on the value when it calls `member` with the key.
  template <typename Member>
  void each_member(const Member& member) {
    if (!scanner_.skip('{')) {
      throw InputError(file_ + ": expected an object with images and annotations, got " + brief(parse_value()));
    }
    if (scanner_.skip('}')) return;
    do {
      const char* begin = scanner_.here();
      std::string_view key;
      if (!scanner_.text(key)) {
        scanner_.go(begin);
        if (!parse_value().is_string()) malformed();  // a key of other letters is none of ours
      }
      if (!scanner_.skip(':')) malformed();
      member(key);
    } while (scanner_.skip(','));
    if (!scanner_.skip('}')) malformed();
  }

  void expect_end() {
    if (!scanner_.at_end()) malformed();
  }

  // The value under the scanner.
  Json parse_value() {
    std::string_view written;
    if (!scanner_.value(written)) malformed();
    try {
      return parse_json(without_nan(std::string(written)), file_);
    } catch (const InputError&) {
      malformed();
    }
  }

  // Lets the parser say what is wrong, and where in the file.
  [[noreturn]] void malformed() const {
    const Json whole = parse_json(without_nan(text_), file_);
    throw InputError(file_ + ": expected plain JSON, got " + brief(whole));
  }

 private:
  std::string file_, text_;
  JsonScanner scanner_;
};

// Pixels; 0: no number of any image.
int side(double number) {
  return number >= 1 && number <= 1e6 ? static_cast<int>(number) : 0;
}

struct ImageRecord {
  std::string id, file_name;
  std::pair<int, int> size;
};
struct TruthRecord {
  std::string image_id, category_id;  // the latter "" when it is not given
  TruthBox box;
};

double numeric(const std::string& id) {
  double value = 0;
  std::from_chars(id.data(), id.data() + id.size(), value);
  return value;
}

// Numbers by value, then strings.
bool comes_before(const std::string& a, const std::string& b) {
  const bool a_text = a[0] == '"', b_text = b[0] == '"';
  if (a_text != b_text) return b_text;
  return a_text ? a < b : numeric(a) < numeric(b);
}

std::string unquoted(std::string_view text) {
  return text.empty() ? std::string() : std::string(text.substr(1, text.size() - 2));
}

bool is_finite(const std::array<double, 4>& box) {
  return std::all_of(box.begin(), box.end(), [](double number) { return std::isfinite(number); });
}

void add_images(std::vector<ImageRecord> records, CocoTruths& truths, Warnings& warnings) {
  std::stable_sort(records.begin(), records.end(),
                   [](const ImageRecord& a, const ImageRecord& b) { return comes_before(a.id, b.id); });
  for (ImageRecord& record : records) {
    if (!truths.by_id.emplace(record.id, truths.ids.size()).second) {
      warnings.add("images with an id that an earlier one has, merged", "id " + record.id);
      continue;
    }
    if (!record.file_name.empty()) truths.by_name.emplace(record.file_name, truths.ids.size());
    truths.ids.push_back(std::move(record.id));
    truths.file_names.push_back(std::move(record.file_name));
    truths.sizes.push_back(record.size);
  }
  truths.images.resize(truths.ids.size());
}

void add_truths(const std::vector<TruthRecord>& records, CocoTruths& truths, Warnings& warnings) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    const TruthRecord& record = records[i];
    const auto image = truths.by_id.find(record.image_id);
    const auto place = [&] { return "annotations[" + std::to_string(i) + "]"; };
    if (!record.category_id.empty() && record.category_id != truths.face_category) {
      warnings.add("annotations of another category than face, dropped", place());
    } else if (image == truths.by_id.end()) {
      warnings.add("annotations of an unknown image, dropped", place() + ".image_id: " + record.image_id);
    } else if (!is_finite({record.box.x, record.box.y, record.box.width, record.box.height})) {
      warnings.add("boxes with numbers that are none, dropped", place());
    } else {
      truths.images[image->second].truths.push_back(record.box);
    }
  }
}

}  // namespace

CocoTruths read_coco_truths(const std::string& file, Warnings& warnings) {
  CocoFile source(file);
  std::vector<ImageRecord> images;
  std::vector<TruthRecord> annotations;
  Json rest = Json::object();

  const auto read_images = [&] {
    source.each(
        "images",
        [&](const Fields& fields) {
          if (fields.id.empty()) return false;
          images.push_back({std::string(fields.id),
                            unquoted(fields.file_name),
                            {side(fields.width.value_or(0)), side(fields.height.value_or(0))}});
          return true;
        },
        [&](const CocoEntry& entry) {
          const Json* name = entry.find("file_name");
          if (name && !name->is_string()) entry.fail("file_name", "a file name");
          const auto side_of = [&](const char* key) {
            const Json* number = entry.find(key);
            return number && number->is_number() ? side(number->get<double>()) : 0;
          };
          images.push_back(
              {entry.id("id"), name ? name->get<std::string>() : "", {side_of("width"), side_of("height")}});
        });
  };
  const auto read_annotations = [&] {
    source.each(
        "annotations",
        [&](const Fields& fields) {
          if (fields.image_id.empty() || !fields.bbox) return false;
          const auto& [x, y, width, height] = *fields.bbox;
          annotations.push_back({std::string(fields.image_id),
                                 std::string(fields.category_id),
                                 {x, y, width, height, fields.crowd.value_or(false)}});
          return true;
        },
        [&](const CocoEntry& entry) {
          const std::vector<double> box = entry.numbers("bbox", 4);
          annotations.push_back({entry.id("image_id"),
                                 entry.find("category_id") ? entry.id("category_id") : "",
                                 {box[0], box[1], box[2], box[3], entry.flag("iscrowd")}});
        });
  };
  source.each_member([&](std::string_view key) {
    const std::string name = unquoted(key);
    if (rest.contains(name)) throw InputError(file + ": key " + brief(name) + " appears twice");
    if (key == "\"images\"") {
      read_images();
      rest["images"] = Json::array();
    } else if (key == "\"annotations\"") {
      read_annotations();
      rest["annotations"] = Json::array();
    } else if (key == "\"categories\"") {
      rest["categories"] = source.parse_value();
    } else {
      source.parse_value();
    }
  });
  source.expect_end();
  for (const char* list : {"images", "annotations"}) list_in(rest, list, file);

  CocoTruths truths;
  truths.file = file;
  truths.face_category = face_category(rest, file);
  add_images(std::move(images), truths, warnings);
  add_truths(annotations, truths, warnings);
  return truths;
}

void read_coco_detections(const std::string& file, CocoTruths& truths, Warnings& warnings) {
  CocoFile source(file);
  // Detections come image by image, so the last id is asked for again and again.
  std::string last_id;
  std::size_t last_image = 0;
  const auto find_image = [&](std::string_view id) {
    if (id == last_id) return true;
    const auto image = truths.by_id.find(std::string(id));
    if (image == truths.by_id.end()) return false;
    last_id = image->first;
    last_image = image->second;
    return true;
  };
  const auto take = [&](std::string_view category, const ScoredBox& box) {
    if (!category.empty() && category != truths.face_category) {
      warnings.add("detections of another category than face, dropped", "category_id " + std::string(category));
    } else {
      truths.images[last_image].detections.push_back(box);
    }
  };
  source.each(
      "",
      [&](const Fields& fields) {
        if (!fields.bbox || !fields.score || fields.image_id.empty() || !find_image(fields.image_id)) return false;
        const auto& [x, y, width, height] = *fields.bbox;
        take(fields.category_id, {x, y, width, height, *fields.score});
        return true;
      },
      [&](const CocoEntry& entry) {
        if (!find_image(entry.id("image_id"))) entry.fail("image_id", "the id of an image in " + truths.file);
        const std::vector<double> box = entry.numbers("bbox", 4);
        if (!is_finite({box[0], box[1], box[2], box[3]})) entry.fail("bbox", "4 numbers");
        take(entry.find("category_id") ? entry.id("category_id") : "",
             {box[0], box[1], box[2], box[3], entry.number("score")});
      });
  source.expect_end();
}

}  // namespace hyperfd
