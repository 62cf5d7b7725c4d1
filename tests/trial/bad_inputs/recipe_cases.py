"""Broken recipes, configurations and options."""

from case import Case, Section, both, link, make_folder, put, write

TRAIN = "hyperfd-trial train --data faces --recipe r.yaml --out run"
WITH_PARAMS = "hyperfd-trial train --data faces --recipe quick.yaml --params c.json --out run"
MOBILE = "16-8s1:k3e1-12s2:k3e6-16s2:k3e6-32s2:k3e6-48s1:k3e6-80s2:k3e6-160s1:k3e6"
HUGE = "4096-4096s1:k7e32-4096s2:k7e32-4096s2:k7e32-4096s2:k7e32-4096s1:k7e32-4096s2:k7e32-4096s1:k7e32"

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi"))


def recipe(text):
    return write("r.yaml", text)


def options(text):
    return f"hyperfd-trial train --data faces --recipe quick.yaml --out run {text}"


RECIPES = Section(
    "Recipes", "A recipe is a YAML file, or the name of one that comes with the program.", TRAIN,
    [
        Case("an unknown name", 'hyperfd-trial: unknown recipe "minni"; did you mean "mini"?',
             command="hyperfd-trial train --data faces --recipe minni"),
        Case("a missing file", "hyperfd-trial: nowhere.yaml: recipe does not exist",
             command="hyperfd-trial train --data faces --recipe nowhere.yaml"),
        Case("a folder", "hyperfd-trial: r.yaml: recipe does not exist", make_folder("r.yaml")),
        Case("a link to itself", "hyperfd-trial: r.yaml: recipe does not exist", link("r.yaml", "r.yaml")),
        Case("an empty file", "hyperfd-trial: r.yaml: expected keys and values, got null", recipe("")),
        Case("no YAML", "hyperfd-trial: r.yaml: line 2: end of sequence flow not found", recipe("epochs: [1, 2\n")),
        Case("binary content", 'hyperfd-trial: r.yaml: expected keys and values, got "…"', recipe(b"\x00\x01\x02\xff\xfe")),
        Case("a list in place of keys", 'hyperfd-trial: r.yaml: expected keys and values, got ["epochs",3]', recipe("- epochs\n- 3\n")),
        Case("an unknown key", 'hyperfd-trial: r.yaml: unknown key "epoch"; did you mean "epochs"?', recipe("epoch: 3\n")),
        Case("a key twice", 'hyperfd-trial: r.yaml: line 2: key "epochs" appears twice', recipe("epochs: 3\nepochs: 4\n")),
        Case("a key that is a list", "hyperfd-trial: r.yaml: line 1: expected a text as key, got a list or more keys",
             recipe("? [a, b]\n: 1\n")),
        Case("a text in place of a number", 'hyperfd-trial: r.yaml: epochs: expected a whole number ≥ 1, got "many"',
             recipe("epochs: many\n")),
        Case("half a number in place of a whole one", "hyperfd-trial: r.yaml: epochs: expected a whole number ≥ 1, got 2.5",
             recipe("epochs: 2.5\n")),
        Case("a number in quotes", 'hyperfd-trial: r.yaml: epochs: expected a whole number ≥ 1, got "3"', recipe('epochs: "3"\n')),
        Case("a word that is none of the known ones", 'hyperfd-trial: r.yaml: optimizer: expected sgd or adam, got "adamw"',
             recipe("optimizer: adamw\n")),
        Case("a number in place of true or false", "hyperfd-trial: r.yaml: colour: expected true or false, got 1", recipe("colour: 1\n")),
        Case("a number below its range", "hyperfd-trial: r.yaml: crop_size: expected a whole number ≥ 32 and ≤ 4096, got 3",
             recipe("crop_size: 3\n")),
        Case("a number above its range", "hyperfd-trial: r.yaml: batch_size: expected a whole number ≥ 1 and ≤ 4096, got 100000",
             recipe("batch_size: 100000\n")),
        Case("NaN", 'hyperfd-trial: r.yaml: learning_rate: expected a number > 0, got ".nan"', recipe("learning_rate: .nan\n")),
        Case("infinity", 'hyperfd-trial: r.yaml: learning_rate: expected a number > 0, got ".inf"', recipe("learning_rate: .inf\n")),
        Case("a number beyond any", 'hyperfd-trial: r.yaml: learning_rate: expected a number > 0, got "1e999"',
             recipe("learning_rate: 1e999\n")),
        Case("a whole number of 30 digits", "hyperfd-trial: r.yaml: epochs: expected a whole number ≥ 1 and ≤ 1e+09, got 1e+30",
             recipe("epochs: " + "9" * 30 + "\n")),
        Case("a number that float32 does not hold",
             "hyperfd-trial: r.yaml: weight_decay: expected a number ≥ 0 and ≤ 3.40282e+38, got 1e+39", recipe("weight_decay: 1e39\n")),
        Case("a null", "hyperfd-trial: r.yaml: epochs: expected a whole number ≥ 1, got null", recipe("epochs:\n")),
        Case("5 anchor sizes in place of 6", "hyperfd-trial: r.yaml: anchor_sizes: expected 6 sizes, got 5",
             recipe("anchor_sizes: [16, 32, 64, 128, 256]\n")),
        Case("channels that four does not divide", "hyperfd-trial: r.yaml: channels: expected a multiple of 4, got 30",
             recipe("channels: 30\n")),
        Case("`extends` names a missing recipe", 'hyperfd-trial: r.yaml: extends: unknown recipe "minni"; did you mean "mini"?',
             recipe("extends: minni\n")),
        Case("`extends` is a list", 'hyperfd-trial: r.yaml: extends: expected the name of a recipe, got ["mini","paper"]',
             recipe("extends: [mini, paper]\n")),
        Case("`extends` of itself", "hyperfd-trial: r.yaml: extends: more than 8 recipes in a row; do they extend each other?",
             recipe("extends: ./r.yaml\n")),
        Case("an alias bomb (billion laughs)", "hyperfd-trial: r.yaml: more than 100000 values; do aliases multiply them?", recipe(LAUGHS)),
        Case("an alias of what holds it", "hyperfd-trial: r.yaml: nested deeper than 64 levels", recipe("a: &a [*a]\n")),
        Case("nested 100,000 levels deep", "hyperfd-trial: r.yaml: nested deeper than 64 levels", recipe("a: " + "[" * 100_000)),
        Case("an architecture larger than any machine",
             "hyperfd-trial: r.yaml: backbone: expected a network of at most 250000000 parameters, got one of …",
             recipe(f'backbone: "{HUGE}"\n')),
        
    ])

PARAMETERS = Section(
    "Configurations", "What NNI assigns to a trial, or `--params` when it runs alone. Keys that the trial does not know are named and have no "
    "effect: a search space may have keys of its own.", WITH_PARAMS,
    [
        Case("a missing file", "hyperfd-trial: nowhere.json: cannot be read: No such file or directory",
             command="hyperfd-trial train --data faces --params nowhere.json"),
        Case("no JSON",
             "hyperfd-trial: c.json: parse error at line 1, column 1: syntax error while parsing value - invalid literal; last read: 'l'",
             write("c.json", "learning_rate=3")),
        Case("an empty file", "hyperfd-trial: c.json: expected JSON, it is empty", write("c.json", "")),
        Case("a list", "hyperfd-trial: parameters: expected an object, got [1]", write("c.json", "[1]")),
        Case("null", "hyperfd-trial: parameters: expected an object, got null", write("c.json", "null")),
        Case("nested 100,000 levels deep", "hyperfd-trial: c.json: nested deeper than 64 levels", write("c.json", "[" * 100_000)),
        Case("a key twice", 'hyperfd-trial: c.json: key "epochs" appears twice', write("c.json", '{"epochs": 1, "epochs": 2}')),
        Case("an unknown key", 'warning parameters: unknown key "learning_rte"; did you mean "learning_rate"?; it has no effect',
             put("c.json", "learning_rte", value=1), exit=0),
        Case("a value of the wrong type", 'hyperfd-trial: parameters: learning_rate: expected a number > 0, got "fast"',
             put("c.json", "learning_rate", value="fast")),
        Case("a value out of range", "hyperfd-trial: parameters: iou_threshold: expected a number > 0.1 and ≤ 0.95, got 7",
             put("c.json", "iou_threshold", value=7)),
        Case("a learning rate that float32 does not hold",
             "warning training diverged (…); there was no validation before, so the result is 0",
             put("c.json", "learning_rate", value=1e39), exit=0),
        Case("an unknown word", 'hyperfd-trial: parameters: optimizer: expected sgd or adam, got "lion"',
             put("c.json", "optimizer", value="lion")),
        Case("5 anchor sizes in place of 6", "hyperfd-trial: parameters: anchor_sizes: expected 6 sizes, got 5",
             put("c.json", "anchor_sizes", value=[8, 16, 32, 64, 128])),
        Case("channels that four does not divide", "hyperfd-trial: parameters: channels: expected a multiple of 4, got 30",
             put("c.json", "channels", value=30)),
        Case("an unknown backbone",
             'hyperfd-trial: parameters: backbone: unknown backbone "resnet50"; known: mobilenet_v1_x0.25, mobilenet_v2_x0.5, proxylessnas_largest',
             put("c.json", "backbone", value="resnet50")),
        Case("an architecture with a stage missing",
             "hyperfd-trial: parameters: stage3: missing; an architecture needs all of stage2 … stage7",
             put("c.json", "stage2", value={"_name": "depth1", "kernel1": 3, "expansion1": 6})),
        Case("an architecture with a block missing", "hyperfd-trial: parameters: stage2.kernel2: missing",
             both(*(put("c.json", f"stage{i}", value={"_name": "depth2", "kernel1": 3, "expansion1": 6}) for i in range(2, 8)))),
        Case("an architecture of 65 blocks", 'hyperfd-trial: parameters: stage2._name: expected depth1, depth2, …, got "depth65"',
             both(*(put("c.json", f"stage{i}", value={"_name": "depth65"}) for i in range(2, 8)))),
        Case("`TRIAL_BUDGET` is negative", "hyperfd-trial: parameters: TRIAL_BUDGET: expected a number > 0, got -1",
             put("c.json", "TRIAL_BUDGET", value=-1)),
    ])

OPTIONS = Section(
    "Options", "", "hyperfd-trial",
    [
        Case("no command", "hyperfd-trial: expected a command: train, …; --help explains"),
        Case("an unknown command", 'hyperfd-trial: unknown command "trian"; did you mean "train"?', command="hyperfd-trial trian"),
        Case("an unknown option", 'hyperfd-trial: unknown option "--epoch"; known: …', command=options("--epoch 3")),
        Case("a required option is missing", "hyperfd-trial: --data is required", command="hyperfd-trial train"),
        Case("`--set` without =", 'hyperfd-trial: --set: expected key=value, got "epochs"', command=options("--set epochs")),
        Case("`--set` of an unknown key", 'hyperfd-trial: --set: unknown key "epoch"; did you mean "epochs"?',
             command=options("--set epoch=3")),
        Case("`--set` of a wrong value", "hyperfd-trial: --set: epochs: expected a whole number ≥ 1, got 0",
             command=options("--set epochs=0")),
        Case("all faces to find are below `minimum_face`",
             "hyperfd-trial: faces: expected faces of minimum_face 1000 pixels or more in the val split, all its 2 are smaller at evaluation_side 32",
             command=options("--set minimum_face=1000")),
        Case("`evaluation_side` makes images too large",
             "hyperfd-trial: faces: none of the 2 images to evaluate can be read: faces/images/4.jpg: 64×48 pixels are too many to detect faces in, with evaluation_side 8192",
             command=options("--set evaluation_side=8192")),
        Case("an unknown device", 'hyperfd-trial: --device: expected auto, cpu or cuda, got "gpu"', command=options("--device gpu")),
        Case("a number of threads that is none", "hyperfd-trial: --threads: Value many not in range 1 to 1024",
             command=options("--threads many")),
        Case("a negative seed", 'hyperfd-trial: --seed: expected a whole number >= 0, got "-1"', command=options("--seed -1")),
        Case("seconds that are no number", 'hyperfd-trial: --checkpoint-every: expected a number in [0, 1e+06], got "nan"',
             command=options("--checkpoint-every nan")),
        Case("`--out` holds a finished run", "hyperfd-trial: run: holds a finished run (its result.json); choose another folder or remove it",
             write("run/result.json", '{"ending": "completed"}'), options("")),
        Case("`--out` is a file", "hyperfd-trial: run: cannot be created: Not a directory", write("run", ""), options(""), exit=1),
        Case("`--out` is where nobody can write", "hyperfd-trial: /proc/run: cannot be created: No such file or directory",
             command="hyperfd-trial train --data faces --recipe quick.yaml --out /proc/run", exit=1),
        Case("`profile` of a misspelt backbone",
             'hyperfd-trial: ARCH: backbone: unknown backbone "mobilenet_v3"; known: mobilenet_v1_x0.25, mobilenet_v2_x0.5, proxylessnas_largest',
             command="hyperfd-trial profile mobilenet_v3"),
        Case("`profile` of half an architecture", "hyperfd-trial: ARCH: backbone: architecture: expected 7 stages, got 1",
             command="hyperfd-trial profile 16-8s1:k3e1"),
        Case("`profile` of an architecture with a kernel of 4",
             "hyperfd-trial: ARCH: backbone: architecture: stages[1].blocks[0].kernel: expected 3, 5 or 7, got 4",
             command=f"hyperfd-trial profile {MOBILE.replace('k3e6', 'k4e6', 1)}"),
        Case("`profile` of an architecture larger than any machine",
             "hyperfd-trial: ARCH: backbone: expected a network of at most 250000000 parameters, got one of …",
             command=f"hyperfd-trial profile {HUGE}"),
        Case("`profile` of 60,000 letters", "hyperfd-trial: ARCH: backbone: unknown backbone …",
             command=f"hyperfd-trial profile {'a' * 60000}"),
        Case("`profile --faces` is negative", 'hyperfd-trial: --faces: expected a whole number >= 0 and <= 10000, got "-1"',
             command="hyperfd-trial profile mobilenet_v1_x0.25 --training --faces -1"),
        Case("`evaluate --minimum-face` is infinite", 'hyperfd-trial: --minimum-face: expected a number in [0, 1e+06], got "inf"',
             command="hyperfd-trial evaluate --detections found.json --annotations faces/annotations.json --minimum-face inf"),
        Case("`profile --size` of one number", 'hyperfd-trial: --size: expected width x height in pixels like 640x360, got "640"',
             command="hyperfd-trial profile mobilenet_v1_x0.25 --size 640"),
        Case("`profile --size` larger than any memory",
             'hyperfd-trial: --size: expected at most 67108864 pixels in all, got "99999x99999"',
             command="hyperfd-trial profile mobilenet_v1_x0.25 --size 99999x99999"),
    ])
