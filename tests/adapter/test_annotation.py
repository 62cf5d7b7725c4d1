"""Where the adapter finds what annotates a search space."""

import json

import pytest

from hyperfd_nni.annotation import read_annotation
from hyperfd_nni.nni_context import NniContext


def context(folder, space_file=None):
    return NniContext("e", folder, 0, None, space_file, folder)


def test_the_annotation_itself(tmp_path):
    assert read_annotation({"encoder": "mlp"}, context(tmp_path)) == {"encoder": "mlp"}


def test_a_file_beside_the_trials_code(tmp_path):
    (tmp_path / "mine.yaml").write_text("encoder: gin\nconstraints: {cost: {parameters: {max: 1e6}}}\n")
    assert read_annotation("mine.yaml", context(tmp_path))["encoder"] == "gin"
    (tmp_path / "mine.json").write_text(json.dumps({"encoder": "mlp"}))
    assert read_annotation(str(tmp_path / "mine.json"), context(tmp_path / "elsewhere")) == {"encoder": "mlp"}


def test_the_file_beside_the_search_space(tmp_path):
    space = tmp_path / "my.space.yaml"
    assert read_annotation(None, context(tmp_path, space)) is None
    assert read_annotation(None, context(tmp_path)) is None
    (tmp_path / "my.space.hyperfd.yml").write_text("encoder: mlp\n")
    assert read_annotation(None, context(tmp_path, space)) == {"encoder": "mlp"}


@pytest.mark.parametrize("content, message", [("[1, 2]", "expected an object, got"), ("a: [", "not YAML or JSON"), (None, "No such file")])
def test_mistakes_name_the_file(tmp_path, content, message):
    if content is not None:
        (tmp_path / "bad.yaml").write_text(content)
    with pytest.raises(ValueError, match=f"bad.yaml: {message}"):
        read_annotation("bad.yaml", context(tmp_path))
