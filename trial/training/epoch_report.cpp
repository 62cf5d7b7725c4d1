#include "trial/training/epoch_report.h"

namespace hyperfd {

Json to_json(const EpochReport& epoch) {
  Json line = {{"epoch", epoch.epoch},
               {"loss", epoch.loss},
               {"classification", epoch.classification},
               {"location", epoch.location},
               {"landmarks", epoch.landmarks},
               {"learning_rate", epoch.learning_rate},
               {"seconds", epoch.seconds},
               {"images_per_second", epoch.images_per_second}};
  if (epoch.average_precision) {
    line["validation_ap"] = *epoch.average_precision;
    line["validation_seconds"] = epoch.validation_seconds;
    line["best"] = epoch.best;
  }
  return line;
}

EpochReport epoch_from_json(const Json& line) {
  EpochReport epoch;
  line.at("epoch").get_to(epoch.epoch);
  line.at("loss").get_to(epoch.loss);
  line.at("classification").get_to(epoch.classification);
  line.at("location").get_to(epoch.location);
  line.at("landmarks").get_to(epoch.landmarks);
  line.at("learning_rate").get_to(epoch.learning_rate);
  line.at("seconds").get_to(epoch.seconds);
  line.at("images_per_second").get_to(epoch.images_per_second);
  if (line.contains("validation_ap")) {
    epoch.average_precision = line.at("validation_ap").get<double>();
    line.at("validation_seconds").get_to(epoch.validation_seconds);
    line.at("best").get_to(epoch.best);
  }
  return epoch;
}

}  // namespace hyperfd
