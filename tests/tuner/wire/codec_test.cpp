#include "tuner/wire/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <msgpack.hpp>

#include "tuner/base/json.h"
#include "tuner/base/rng.h"

namespace hyperfd::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<Message> one_of_each() {
  std::vector<Body> bodies = {
      Initialize{"r", R"({"x":{"_type":"uniform","_value":[0,1]}})", OptimizeMode::kMinimize, 4, "hyperfd", 7},
      Initialize{"r", "{}", OptimizeMode::kMaximize, 0, "random", 0, R"({"encoder":"mlp"})"},
      Initialize{"r", "{}", OptimizeMode::kMaximize, 0, "random", 0, std::nullopt, std::vector<Statistic>{{"n", 2}}},
      UpdateSearchSpace{"r", "{}"},
      RequestTrialJobs{"r", {0, 1, 70000}},
      ReportMetric{"r", std::nullopt, "job", MetricKind::kPeriodical, 3, "0.5", "{}"},
      ReportMetric{"r", 5, "", MetricKind::kFinal, 0, "1e-3", ""},
      TrialEnd{"r", 5, "job", TrialOutcome::kUserCanceled},
      ImportData{"r", {{"{}", "1"}, {"{\"x\":1}", "2"}}},
      AddCustomizedTrials{"r", {{3, "{}"}}},
      Terminate{"r"},
      OpenDataset{"s", "hash", 252, 1000, {{"boxes", 3.5}}},
      OpenDataset{"s", "hash", 252, 1000, {{"boxes", std::nullopt}}, false},
      NextOrder{"s", 0},
      NextOrder{"s", 7, ComputedFeature{"hash", {1.5f, -2}, {}}},
      NextOrder{"s", 8, std::nullopt, Floats{0.1f}, "why"},
      RequestBundle{4096},
      Ping{},
      Initialized{"hyperfd-tuner", 1, true, 2, 3},
      NewTrialJobs{{{4, "{\"ü\":1}", ConfigurationSource::kFallback}}},
      NoMoreTrialJobs{"empty"},
      SendTrialJobParameter{1, "job", "{}"},
      ComputeFeature{1, {1, 2, 3}, -5},
      ComputeGradient{2, {1}, {2}},
      NoOrder{},
      Dismissed{"done"},
      BundlePart{"hash", 5, {0, 128, 255}},
      Acknowledged{-1, "warning"},
      Failure{"input", "message"},
  };
  std::vector<Message> messages;
  for (Body& body : bodies) messages.push_back({"experiment", "request", std::move(body)});
  return messages;
}

// A frame from JSON, so that a test can write what a foreign client might send.
std::string frame_of(const Json& json) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  const std::function<void(const Json&)> pack = [&](const Json& value) {
    if (value.is_object()) {
      packer.pack_map(static_cast<std::uint32_t>(value.size()));
      for (const auto& [key, item] : value.items()) {
        packer.pack(key);
        pack(item);
      }
    } else if (value.is_array()) {
      packer.pack_array(static_cast<std::uint32_t>(value.size()));
      for (const Json& item : value) pack(item);
    } else if (value.is_string()) {
      packer.pack(value.get<std::string>());
    } else if (value.is_number_integer()) {
      packer.pack(value.get<std::int64_t>());
    } else if (value.is_number()) {
      packer.pack(value.get<double>());
    } else if (value.is_boolean()) {
      packer.pack(value.get<bool>());
    } else {
      packer.pack_nil();
    }
  };
  pack(json);
  return {buffer.data(), buffer.size()};
}

Json generate_request() {
  return {{"version", 1},
          {"type", "GE"},
          {"experiment", "e"},
          {"request", "q"},
          {"body", {{"run", "r"}, {"parameter_ids", {0, 1}}}}};
}

MalformedMessage error_of(const std::string& frame) {
  try {
    decode(frame);
  } catch (const MalformedMessage& error) {
    return error;
  }
  ADD_FAILURE() << "the frame was accepted";
  return {"", ""};
}

MalformedMessage error_of(const Json& json) {
  return error_of(frame_of(json));
}

TEST(Codec, EveryMessageSurvivesTheWire) {
  for (const Message& message : one_of_each()) {
    const std::string frame = encode(message);
    const Message received = decode(frame);
    EXPECT_EQ(received.experiment, message.experiment);
    EXPECT_EQ(received.request, message.request);
    EXPECT_EQ(received.body.index(), message.body.index());
    EXPECT_EQ(encode(received), frame);
  }
}

TEST(Codec, BytesAreThoseOfTheSpecification) {
  const Message message{"e", "q", TrialEnd{"r", std::nullopt, "j", TrialOutcome::kFailed}};
  const std::string expected =
      "\x85\xa7version\x01\xa4type\xa2"
      "EN\xaa"
      "experiment\xa1"
      "e\xa7request\xa1q\xa4"
      "body\x84\xa3run\xa1r\xac"
      "parameter_id\xc0\xactrial_job_id\xa1j\xa7outcome\xa6"
      "FAILED";
  EXPECT_EQ(encode(message), expected);
}

TEST(Codec, AcceptsWhatForeignClientsWrite) {
  const Message message = decode(frame_of(generate_request()));
  EXPECT_EQ(std::get<RequestTrialJobs>(message.body).parameter_ids, (std::vector<std::int64_t>{0, 1}));
}

TEST(Codec, AnOptionalFieldIsLeftOutOrRead) {
  Json request = {{"version", 1}, {"type", "IN"}, {"experiment", "e"}, {"request", "q"}};
  request["body"] = {{"run", "r"},  {"space", "{}"}, {"optimize_mode", "maximize"},
                     {"budget", 1}, {"policy", "p"}, {"seed", 2}};
  const Message without = decode(frame_of(request));  // as clients wrote it before there were annotations
  EXPECT_EQ(std::get<Initialize>(without.body).annotation, std::nullopt);
  EXPECT_EQ(encode(without).find("annotation"), std::string::npos);
  request["body"]["annotation"] = "{}";
  EXPECT_EQ(std::get<Initialize>(decode(frame_of(request)).body).annotation, "{}");
  request["body"]["annotation"] = 3;
  EXPECT_STREQ(error_of(request).what(), "body.annotation: expected a string, got an integer");
}

TEST(Codec, MissingFieldIsNamed) {
  Json request = generate_request();
  request["body"].erase("parameter_ids");
  EXPECT_STREQ(error_of(request).what(), "body.parameter_ids: missing");
  EXPECT_EQ(error_of(request).code, "malformed");
  EXPECT_EQ(error_of(request).request, "q");
  EXPECT_EQ(error_of(request).experiment, "e");
}

TEST(Codec, UnknownFieldSuggestsTheNearestName) {
  Json request = generate_request();
  request["body"]["parameter_idz"] = 1;
  EXPECT_THAT(error_of(request).what(), StartsWith("body.parameter_idz: unknown key \"parameter_idz\""));
  EXPECT_THAT(error_of(request).what(), HasSubstr("did you mean \"parameter_ids\"?"));
}

TEST(Codec, MistypedFieldsAreNamedWithTheirPath) {
  Json request = generate_request();
  request["body"]["parameter_ids"] = {0, "one"};
  EXPECT_STREQ(error_of(request).what(), "body.parameter_ids[1]: expected an integer, got a string");
  request["body"]["parameter_ids"] = 3;
  EXPECT_STREQ(error_of(request).what(), "body.parameter_ids: expected an array, got an integer");
  request = generate_request();
  request["body"] = "GE";
  EXPECT_STREQ(error_of(request).what(), "body: expected a map, got a string");
  request = generate_request();
  request["request"] = 7;
  EXPECT_STREQ(error_of(request).what(), "request: expected a string, got an integer");
  EXPECT_EQ(error_of(request).request, "");
}

TEST(Codec, NestedRecordsAreChecked) {
  Json request = generate_request();
  request["type"] = "FD";
  request["body"] = {{"run", "r"}, {"records", {{{"parameters", "{}"}, {"value", 0.5}}}}};
  EXPECT_STREQ(error_of(request).what(), "body.records[0].value: expected a string, got a float");
}

TEST(Codec, WordsOfAnEnumerationAreChecked) {
  Json request = generate_request();
  request["type"] = "EN";
  request["body"] = {{"run", "r"}, {"parameter_id", nullptr}, {"trial_job_id", ""}, {"outcome", "SUCCEDED"}};
  EXPECT_EQ(error_of(request).code, "input");
  EXPECT_THAT(error_of(request).what(), HasSubstr("did you mean \"SUCCEEDED\"?"));
}

TEST(Codec, AnotherVersionIsSaidBeforeAnythingElse) {
  const MalformedMessage error = error_of(
      Json{{"version", 2}, {"type", "??"}, {"experiment", "e"}, {"request", "q"}, {"body", 1}, {"something", "new"}});
  EXPECT_EQ(error.code, "version");
  EXPECT_EQ(error.request, "q");
  EXPECT_STREQ(error.what(), "version: this server speaks version 1 of the protocol, got 2");
}

TEST(Codec, UnknownType) {
  Json request = generate_request();
  request["type"] = "XX";
  EXPECT_EQ(error_of(request).code, "unknown_type");
}

TEST(Codec, IdsHaveALength) {
  Json request = generate_request();
  request["request"] = "";
  EXPECT_STREQ(error_of(request).what(), "request: expected 1 to 128 bytes, got 0");
  request["request"] = std::string(129, 'a');
  EXPECT_STREQ(error_of(request).what(), "request: expected 1 to 128 bytes, got 129");
  EXPECT_EQ(error_of(request).request, "") << "an error reply must not carry it back";
}

TEST(Codec, TextIsCleanUtf8) {
  for (const char* text : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "a\x80"}) {
    const std::string frame = encode({"e", "q", Terminate{text}});
    EXPECT_STREQ(error_of(frame).what(), "body.run: expected UTF-8 text without NUL") << text;
  }
  EXPECT_STREQ(error_of(encode({"e", "q", Terminate{std::string("a\0b", 3)}})).what(),
               "body.run: expected UTF-8 text without NUL");
  const Message euro = decode(encode({"e", "q", Terminate{"\xe2\x82\xac\xf0\x9f\x98\x80"}}));
  EXPECT_EQ(std::get<Terminate>(euro.body).run, "\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Codec, CleanedTextCanAlwaysBeSent) {
  EXPECT_EQ(clean_text("a\xc3\xbc\xc3"), "a\xc3\xbc?");
  EXPECT_EQ(clean_text(std::string("\0\xff", 2)), "??");
  EXPECT_NO_THROW(decode(encode({"e", "q", Failure{"input", clean_text("\xe2\x82")}})));
}

TEST(Codec, FramesThatAreNotOneMessage) {
  const std::string frame = encode({"e", "q", Ping{}});
  EXPECT_STREQ(error_of(frame + "x").what(), "frame: bytes after the end of the message");
  EXPECT_THAT(error_of(frame.substr(0, frame.size() - 1)).what(), HasSubstr("ends in the middle"));
  EXPECT_THAT(error_of(std::string()).what(), StartsWith("frame: "));
  EXPECT_THAT(error_of(std::string("\xc1")).what(), StartsWith("frame: not MessagePack"));
  EXPECT_THAT(error_of(std::string(20, '\x91') + "\x01").what(), HasSubstr("nested deeper"));
  EXPECT_THAT(error_of(std::string("\xdd\xff\xff\xff\xff", 5)).what(), StartsWith("frame: "));
}

TEST(Codec, KeysMustBeUniqueText) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> packer(buffer);
  packer.pack_map(2);
  packer.pack("request");
  packer.pack("a");
  packer.pack("request");
  packer.pack("b");
  EXPECT_STREQ(error_of(std::string(buffer.data(), buffer.size())).what(), "request: appears twice");
}

// Whatever the bytes are: a message or a MalformedMessage, and what is accepted can be written again.
void expect_message_or_error(const std::string& frame) {
  try {
    const Message message = decode(frame);
    EXPECT_EQ(encode(decode(encode(message))), encode(message));
  } catch (const MalformedMessage& error) {
    EXPECT_FALSE(error.code.empty());
    EXPECT_STRNE(error.what(), "");
  }
}

TEST(Codec, MutatedFramesNeverCrash) {
  Rng rng(1);
  const std::vector<Message> messages = one_of_each();
  for (int i = 0; i < 20'000; ++i) {
    std::string frame = encode(messages[rng.below(messages.size())]);
    for (std::uint64_t changes = 1 + rng.below(4); changes > 0; --changes) {
      const std::uint64_t at = rng.below(frame.size());
      switch (rng.below(4)) {
        case 0:
          frame[at] = static_cast<char>(rng.below(256));
          break;
        case 1:
          frame.erase(at, 1 + rng.below(4));
          break;
        case 2:
          frame.insert(at, 1, static_cast<char>(rng.below(256)));
          break;
        default:
          frame[at] = static_cast<char>(0xC0 + rng.below(0x20));  // the bytes that announce types and lengths
      }
      if (frame.empty()) frame = "\x80";
    }
    expect_message_or_error(frame);
  }
}

TEST(Codec, RandomFramesNeverCrash) {
  Rng rng(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string frame(rng.below(64), '\0');
    for (char& byte : frame) byte = static_cast<char>(rng.below(256));
    expect_message_or_error(frame);
  }
}

}  // namespace
}  // namespace hyperfd::wire
