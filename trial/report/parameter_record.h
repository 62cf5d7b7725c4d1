#pragma once

#include <string>

#include "trial/report/trial_channel.h"

namespace hyperfd {

// Reads the record by which NNI hands a configuration to a trial:
// {"parameter_id": 7, "parameter_source": "algorithm", "parameters": {…}, "parameter_index": 0}.
// `where` names the file or URL that it came from. Throws ProtocolError that says what was expected.
Assignment parse_parameter_record(const std::string& text, const std::string& where);

// Whether both say the same: the id and the parameters, the order of keys and 1 or 1.0 aside (NNI's manager rewrites
// numbers when it stores a record).
bool same_assignment(const Assignment& a, const Assignment& b);

}  // namespace hyperfd
