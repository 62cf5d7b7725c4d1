"""Broken search spaces, stores and keys of hyperfd-tuner."""

from case import Case, Section, both, cut, drop, link, make_folder, put, write
from good_inputs import run_sql
from recipe_cases import LAUGHS

SPACE = "hyperfd-tuner space space.json"
INSPECT = "hyperfd-tuner inspect --store team.sqlite"
SUGGEST = "hyperfd-tuner suggest --space space.json --store team.sqlite"
REPORT = "hyperfd-tuner report --space space.json --store team.sqlite --value 0.5 --params"
SERVE = "hyperfd-tuner serve --store team.sqlite --endpoint"


def space(text):
    return write("space.json", text)


def rate(type, value):
    return put("space.json", "learning_rate", value={"_type": type, "_value": value})


def deep_space(levels):
    text = '{"_type": "choice", "_value": [1]}'
    for _ in range(levels):
        text = '{"_type": "choice", "_value": [{"_name": "a", "x": ' + text + "}]}"
    return '{"x": ' + text + "}"


def damage(folder):
    file = folder / "team.sqlite"
    content = bytearray(file.read_bytes())
    for at in range(4096, len(content), 4096):
        content[at:at + 200] = b"\xaa" * 200
    file.write_bytes(content)


SPACES = Section(
    "Search spaces", "`suggest`, `report` and NNI's experiments check them in the same way.", SPACE,
    [
        Case("a missing file", "hyperfd-tuner: nowhere.json: cannot be read: No such file or directory",
             command="hyperfd-tuner space nowhere.json"),
        Case("a folder", "hyperfd-tuner: space.json: is a folder, expected a file", make_folder("space.json")),
        Case("a link to itself", "hyperfd-tuner: space.json: cannot be read: Too many levels of symbolic links",
             link("space.json", "space.json")),
        Case("an empty file", "hyperfd-tuner: space.json: expected JSON, it is empty", space("")),
        Case("no JSON",
             "hyperfd-tuner: space.json: parse error at line 1, column 1: syntax error while parsing value - invalid literal; last read: 'l'",
             space("learning_rate: 3")),
        Case("cut off in the middle",
             "hyperfd-tuner: space.json: parse error at line 1, column 61: syntax error while parsing value - unexpected end of input; expected '[', '{', or a literal",
             cut("space.json")),
        Case("a list", "hyperfd-tuner: space.json: search space: expected an object of parameters, got []", space("[]")),
        Case("nested 100,000 levels deep", "hyperfd-tuner: space.json: nested deeper than 64 levels", space("[" * 100_000)),
        Case("60 nested choices", "hyperfd-tuner: space.json: nested deeper than 64 levels", space(deep_space(60))),
        Case("not UTF-8",
             "hyperfd-tuner: space.json: parse error at line 1, column 4: syntax error while parsing object key - invalid string: ill-formed UTF-8 byte; last read: '\"a\\xff'; expected string literal",
             space(b'{"a\xff": {"_type": "choice", "_value": [1]}}')),
        Case("a key twice", 'hyperfd-tuner: space.json: key "a" appears twice',
             space('{"a": {"_type": "choice", "_value": [1]}, "a": {"_type": "choice", "_value": [2]}}')),
        Case("an unknown `_type`",
             'hyperfd-tuner: space.json: learning_rate._type: unknown type "loguniforme"; did you mean "loguniform"?',
             rate("loguniforme", [0.1, 1])),
        Case("no `_type`", 'hyperfd-tuner: space.json: learning_rate: missing "_type" in {"_value":[0.0001,0.1]}',
             drop("space.json", "learning_rate", "_type")),
        Case("no `_value`", 'hyperfd-tuner: space.json: learning_rate: missing "_value" in {"_type":"loguniform"}',
             drop("space.json", "learning_rate", "_value")),
        Case("a choice of nothing", "hyperfd-tuner: space.json: learning_rate._value: expected at least one choice, got []",
             rate("choice", [])),
        Case("three numbers in place of two",
             "hyperfd-tuner: space.json: learning_rate._value: expected [low, high] for uniform, got [0,1,2]", rate("uniform", [0, 1, 2])),
        Case("low above high", "hyperfd-tuner: space.json: learning_rate._value: expected low < high, got [1,0]", rate("uniform", [1, 0])),
        Case("a logarithm of zero", "hyperfd-tuner: space.json: learning_rate._value[0]: expected low > 0 for loguniform, got 0",
             rate("loguniform", [0, 1])),
        Case("NaN",
             "hyperfd-tuner: space.json: parse error at line 1, column 54: syntax error while parsing value - invalid literal; last read: '0, N'",
             rate("uniform", [0, float("nan")])),
        Case("a range too wide for a number",
             "hyperfd-tuner: space.json: learning_rate._value: the range is too wide for a double, got [-1.7e+308,1.7e+308]",
             rate("uniform", [-1.7e308, 1.7e308])),
        Case("a step of zero", "hyperfd-tuner: space.json: learning_rate._value[2]: expected q > 0, got 0", rate("quniform", [0, 1, 0])),
        Case("randint of fractions", "hyperfd-tuner: space.json: learning_rate._value[0]: expected an integer of at most 2^53, got 0.5",
             rate("randint", [0.5, 3])),
        Case("branches with one name", 'hyperfd-tuner: space.json: learning_rate._value[1]._name: "a" appears twice',
             rate("choice", [{"_name": "a"}, {"_name": "a"}])),
        Case("a hundred thousand choices",
             "hyperfd-tuner: space.json: learning_rate._value[19999]: the search space has too many keys and choices",
             rate("choice", list(range(100_000)))),
        Case("an alias bomb in YAML", "hyperfd-tuner: space.yaml: more than 100000 values; do aliases multiply them?",
             write("space.yaml", LAUGHS), "hyperfd-tuner space space.yaml"),
    ])

STORES = Section(
    "Experience stores and what is stored", "", INSPECT,
    [
        Case("a missing store", "hyperfd-tuner: nowhere.sqlite: does not exist", command="hyperfd-tuner inspect --store nowhere.sqlite",
             exit=4),
        Case("a folder", "hyperfd-tuner: team.sqlite: is a folder, expected a file", make_folder("team.sqlite"), exit=4),
        Case("a link to itself", "hyperfd-tuner: team.sqlite: does not exist", link("team.sqlite", "team.sqlite"), exit=4),
        Case("no database", "hyperfd-tuner: team.sqlite: file is not a database", write("team.sqlite", "hello"), exit=4),
        Case("an empty file", "hyperfd-tuner: team.sqlite: a SQLite database, but not an experience store", write("team.sqlite", ""),
             exit=4),
        Case("a database of something else", "hyperfd-tuner: team.sqlite: a SQLite database, but not an experience store",
             both(write("team.sqlite", b""), run_sql("team.sqlite", "CREATE TABLE songs (id)")), exit=4),
        Case("of a later version of the program", "hyperfd-tuner: team.sqlite: schema version 99, this program reads versions up to …",
             run_sql("team.sqlite", "PRAGMA user_version = 99"), exit=4),
        Case("cut off in the middle", "hyperfd-tuner: team.sqlite: database disk image is malformed", cut("team.sqlite"), exit=4),
        Case("damaged pages", "hyperfd-tuner: team.sqlite: database disk image is malformed", damage, exit=4),
        Case("a table is missing", "hyperfd-tuner: team.sqlite: no such table: rankers", run_sql("team.sqlite", "DROP TABLE rankers"),
             exit=4),
        Case("an unknown word in a table", 'hyperfd-tuner: team.sqlite: unexpected word "sideways" in the store',
             run_sql("team.sqlite", "UPDATE experiments SET optimize_mode = 'sideways'"), exit=4),
        Case("the store cannot be made", "hyperfd-tuner: c.json/team.sqlite: its folder cannot be created: Not a directory",
             command="hyperfd-tuner suggest --space space.json --store c.json/team.sqlite", exit=4),
        Case("an unknown policy", 'hyperfd-tuner: policy: unknown policy "hyperfdd"; did you mean "hyperfd"?',
             command=SUGGEST + " --policy hyperfdd"),
        Case("`report` of no JSON",
             "hyperfd-tuner: params: parse error at line 1, column 2: syntax error while parsing object key - unexpected end of input; expected string literal",
             command=REPORT + " {"),
        Case("`report` of a list", "hyperfd-tuner: params: expected an object, got [1]", command=REPORT + " [1]"),
        Case("`report` of a value outside the space", "hyperfd-tuner: learning_rate: expected a number of [0.0001, 0.1], got 7",
             command=REPORT + ' {"learning_rate":7,"batch_size":4}'),
        Case("`report` of a configuration with a key missing", 'hyperfd-tuner: configuration: missing key "learning_rate"',
             command=REPORT + ' {"batch_size":4}'),
        Case("`report` of a result that is no number", "hyperfd-tuner: value: expected JSON, got good; stored, not ranked by",
             command=REPORT.replace("0.5", "good") + ' {"learning_rate":0.01,"batch_size":4}'),
        Case("`report` of a result that is NaN", "hyperfd-tuner: value: expected JSON, got nan; stored, not ranked by",
             command=REPORT.replace("0.5", "nan") + ' {"learning_rate":0.01,"batch_size":4}'),
        Case("`serve` at an endpoint that is none", 'hyperfd-tuner: endpoint: expected ipc://PATH or tcp://HOST:PORT, got "nowhere"',
             command=SERVE + " nowhere"),
        Case("`serve` over tcp without keys",
             "hyperfd-tuner: endpoint: tcp://*:7400: tcp needs server-key and allow (see hyperfd-tuner keygen), or insecure to go without",
             command=SERVE + " tcp://*:7400"),
        Case("`serve` with a key that is none",
             "hyperfd-tuner: server.key: line 1: expected a CURVE key, 40 characters of Z85, got 6 characters",
             write("server.key", "secret"), SERVE + " tcp://127.0.0.1:* --server-key server.key --allow server.key"),
        Case("`keygen` below a file", "hyperfd-tuner: c.json/keys: cannot be made: Not a directory",
             command="hyperfd-tuner keygen c.json/keys"),
    ])
