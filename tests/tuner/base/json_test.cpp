#include "tuner/base/json.h"

#include <gmock/gmock.h>

#include "tests/message_of.h"
#include "tests/tuner/temporary_folder.h"
#include "tuner/base/error.h"
#include "tuner/base/files.h"

namespace hyperfd {
namespace {

using testing::HasSubstr;

TEST(ParseJson, NamesTheTextAndThePlaceOfAnError) {
  const std::string message = message_of([] { parse_json("{\"a\": }", "space.json"); });
  EXPECT_THAT(message, HasSubstr("space.json: parse error at line 1, column 7"));
}

TEST(ParseJson, RefusesHostileDepthInsteadOfOverflowingTheStack) {
  EXPECT_THAT(message_of([] { parse_json(std::string(1000000, '['), "frame"); }), HasSubstr("nested deeper than 64"));
}

TEST(ParseJson, BracketsInStringsDoNotCountAsDepth) {
  EXPECT_EQ(parse_json('"' + std::string(100, '[') + "\\\"" + '"', "text").get<std::string>().size(), 101u);
}

TEST(LoadJsonOrYaml, GivesYamlScalarsTheirJsonTypes) {
  const std::string file = testing::TempDir() + "types.yaml";
  write_file_atomically(file, "a: 1\nb: 1.5\nc: 3e-4\nd: true\ne: '1'\nf: text\ng: [~, -2]\nh: .5\n");
  const Json value = load_json_or_yaml(file);
  EXPECT_EQ(value.dump(), R"({"a":1,"b":1.5,"c":0.0003,"d":true,"e":"1","f":"text","g":[null,-2],"h":0.5})");
}

TEST(LoadJsonOrYaml, RefusesWhatNniReadsOtherwise) {
  const std::string file = testing::TempDir() + "nni.yaml";
  const auto load = [&](const std::string& scalar) {
    write_file_atomically(file, "a: 1\nb: [" + scalar + "]\n");
    return load_json_or_yaml(file, YamlScalars::kAsNni)["b"][0];
  };
  for (const char* number : {"1e-4", "1.5e3", "-.5", "010", "1e3"}) {
    EXPECT_THAT(message_of([&] { load(number); }), HasSubstr(file + ": line 2: " + number + " without quotes is no"));
  }
  for (const char* other : {"on", "No", "0x1f", "1_000", "1:30", ".inf", "2026-01-31"}) {
    EXPECT_THAT(message_of([&] { load(other); }),
                HasSubstr(std::string("line 2: ") + other + " without quotes is true"));
  }
  for (const char* same :
       {"1", "-2", "0.5", ".5", "1.0e-4", "1.", "true", "null", "'1e-4'", "\"on\"", "adam", "y", "v1.2"}) {
    EXPECT_NO_THROW(load(same)) << same;
  }
}

Json load_yaml(const std::string& text, YamlScalars scalars = YamlScalars::kCore) {
  const TemporaryFolder folder;
  write_file_atomically(folder.file("some.yaml"), text);
  return load_json_or_yaml(folder.file("some.yaml"), scalars);
}

TEST(LoadJsonOrYaml, RefusesKeysThatNniReadsOtherwise) {
  const auto load = [](const std::string& key) { load_yaml("a: 1\n" + key + ": 2\n", YamlScalars::kAsNni); };
  for (const char* key : {"no", "On", "True", "1.50", "010", "1_000", "2026-01-31"}) {
    EXPECT_THAT(message_of([&] { load(key); }),
                HasSubstr(std::string("line 2: the key ") + key + " without quotes may be another to NNI"));
  }
  for (const char* key : {"1", "-3", "0.5", "true", "y", "lr", "'no'", "\"1.50\"", "!!str 010"}) {
    EXPECT_NO_THROW(load(key)) << key;
  }
  EXPECT_EQ(load_yaml("no: 1\n").dump(), R"({"no":1})") << "a recipe is not NNI's";
  EXPECT_THAT(message_of([] { load_yaml("~: 1\n"); }), HasSubstr("line 1: expected a text as key, got null"));
}

TEST(LoadJsonOrYaml, ReadsTheTagOfATextAndRefusesOthers) {
  EXPECT_EQ(load_yaml("a: !!str 3\nb: [!!str no]\n", YamlScalars::kAsNni).dump(), R"({"a":"3","b":["no"]})");
  EXPECT_THAT(message_of([] { load_yaml("a: 1\nb: !!float 2\n"); }),
              HasSubstr("line 2: the tag tag:yaml.org,2002:float is not read; write the value as it is meant"));
  for (const char* value : {"!mine 2", "!!int '3'", "!!set {x}", "!!str [1]"}) {
    EXPECT_THAT(message_of([&] { load_yaml(std::string("a: ") + value + "\n"); }), HasSubstr("line 1: the tag "))
        << value;
  }
}

TEST(LoadJsonOrYaml, ReadsAliasesButNoMergeKeys) {
  EXPECT_EQ(load_yaml("a: &b {x: 1}\nc: *b\n'<<': 2\n").dump(), R"({"a":{"x":1},"c":{"x":1},"<<":2})");
  EXPECT_THAT(message_of([] { load_yaml("a: &b {x: 1}\nc:\n  <<: *b\n"); }),
              HasSubstr("line 3: merge keys (<<) are not read; write out what they would add"));
}

TEST(LoadJsonOrYaml, ReadsOneDocument) {
  EXPECT_EQ(load_yaml("---\na: 1\n...\n").dump(), R"({"a":1})");
  EXPECT_TRUE(load_yaml("# nothing\n").is_null());
  EXPECT_THAT(message_of([] { load_yaml("a: 1\n---\nb: 2\n"); }),
              HasSubstr("line 3: a second document; write one a file"));
}

TEST(LoadJsonOrYaml, NamesFileAndLineOfBrokenYamlAndOfARepeatedKey) {
  const std::string file = testing::TempDir() + "broken.yaml";
  write_file_atomically(file, "a: 1\nb: [1, 2\n");
  EXPECT_THAT(message_of([&] { load_json_or_yaml(file); }), HasSubstr(file + ": line "));
  write_file_atomically(file, "a: 1\na: 2\n");
  EXPECT_THAT(message_of([&] { load_json_or_yaml(file); }), HasSubstr("line 2: key \"a\" appears twice"));
}

TEST(LoadJsonOrYaml, SaysWhenAFileIsMissingOrAFolder) {
  EXPECT_THAT(message_of([] { load_json_or_yaml("/nowhere.yaml"); }), HasSubstr("/nowhere.yaml: cannot be read"));
  EXPECT_THAT(message_of([] { load_json_or_yaml(testing::TempDir()); }), HasSubstr("is a folder"));
}

}  // namespace
}  // namespace hyperfd
