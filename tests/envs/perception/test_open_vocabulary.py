import importlib.util
import json
import string
from dataclasses import replace

import numpy as np
import pytest

from valuefield.envs.perception.cloud import largest_cluster
from valuefield.envs.perception.detector import things_in
from valuefield.envs.perception.frames import frames_of
from valuefield.envs.perception.open_vocabulary import OpenVocabularyDetector, VisionModels
from valuefield.envs.perception.scene import Scene
from valuefield.envs.perception.vision_models import BoxModel, MaskModel
from valuefield.robots.errors import BadInput, ModelUnavailable

GEOMS = """
<geom name="red block" type="box" size=".025 .025 .025" pos=".45 -.2 .025" rgba="1 0 0 1"/>
<geom name="blue block" type="box" size=".025 .025 .025" pos=".5 .2 .025" rgba="0 0 1 1"/>
"""
VOCABULARY = (("red block", ""), ("blue block", ""))


class ColourModel:
    """Answers both questions by colour: a stand-in for trained models."""

    def __init__(self):
        self.texts, self.pictures = [], 0

    def _masks(self, rgb):
        channels = rgb.astype(int)
        return [channels[..., i] > 2 * channels[..., [j for j in range(3) if j != i]].max(axis=-1) for i in (0, 2)]

    def find(self, rgb, texts):
        self.texts, self.pictures = list(texts), self.pictures + 1
        boxes, scores = [], []
        for k, mask in enumerate(self._masks(rgb)):
            rows, columns = np.nonzero(mask)
            if len(rows):
                box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
                boxes += [box, box + 0.1]  # every model says everything twice
                scores += [[0.9 if k == t else 0.3 for t in range(2)]] * 2
        return np.array(scores, np.float32).reshape(-1, 2), np.array(boxes, np.float32).reshape(-1, 4)

    def cut_out(self, rgb, boxes):
        found = []
        for box in boxes:
            mask = np.zeros(rgb.shape[:2], dtype=bool)
            mask[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = True
            found.append(mask & (self._masks(rgb)[0] | self._masks(rgb)[1]))
        return np.array(found).reshape(-1, *rgb.shape[:2])


@pytest.fixture(scope="module")
def shown(world):
    return world(GEOMS)


@pytest.fixture
def detector():
    model = ColourModel()
    return OpenVocabularyDetector(VisionModels(model, model), VOCABULARY)


def test_words_become_things_in_the_scene(shown, arm, detector):
    scene = Scene(shown.look(), detector, kinematics=arm())
    assert scene.names == ["red block", "blue block"]
    np.testing.assert_allclose(scene.find("red block").center, [0.45, -0.2, 0.025], atol=0.005)
    np.testing.assert_allclose(scene.find("blue block").center, [0.5, 0.2, 0.025], atol=0.005)


def test_a_part_is_asked_for_with_the_name_of_its_whole(shown):
    model = ColourModel()
    parted = OpenVocabularyDetector(VisionModels(model, model), [("drawer", ""), ("drawer", "handle")])
    parted.detect(frames_of(shown.look(("front",))))
    assert model.texts == ["drawer", "drawer handle"]


def test_a_picture_is_looked_at_once(shown, detector):
    frames = frames_of(shown.look(("front", "overhead")))
    first = detector.detect(frames)
    again = detector.detect({name: replace(frame, rgb=frame.rgb.copy()) for name, frame in frames.items()})
    assert detector._models.boxes.pictures == 2
    np.testing.assert_array_equal(first[VOCABULARY[0]]["front"], again[VOCABULARY[0]]["front"])
    darker = replace(frames["front"], rgb=frames["front"].rgb // 2)
    detector.detect({"front": darker})
    assert detector._models.boxes.pictures == 3


def test_what_scores_below_the_threshold_is_not_found(shown, arm):
    model = ColourModel()
    strict = OpenVocabularyDetector(VisionModels(model, model), VOCABULARY, threshold=0.95)
    assert Scene(shown.look(), strict, kinematics=arm()).find("red block") is None


def test_background_in_a_mask_is_cut_off():
    points = np.concatenate([np.random.default_rng(0).uniform(0, 0.04, (60, 3)), [[0.5, 0, 0], [0.51, 0, 0]]])
    assert largest_cluster(points.astype(np.float32)).tolist() == [True] * 60 + [False] * 2
    assert largest_cluster(np.empty((0, 3), np.float32)).tolist() == []


def test_things_that_can_be_asked_for():
    objects = {0: ("table", ""), 1: ("bin", ""), 2: ("robot", ""), 3: ("bin", "lid"), 4: ("bin", "")}
    assert things_in(objects) == (("bin", ""), ("bin", "lid"))


# --- Plumbing: tiny models with random weights show that files load and shapes fit, and nothing about what is found.


def tiny_owl(folder):
    import transformers as tf

    letters = [*string.ascii_lowercase, *(letter + "</w>" for letter in string.ascii_lowercase)]
    words = [*letters, "<|startoftext|>", "<|endoftext|>"]  # last, as in CLIP: a text that begins with 0 is no text
    tokenizer = tf.CLIPTokenizer(vocab={word: i for i, word in enumerate(words)}, merges=[])
    tokenizer.model_max_length = 32
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": len(words) - 2, "eos_token_id": len(words) - 1, "pad_token_id": 0}
    text = {"vocab_size": len(words), "max_position_embeddings": 32, **ends, **sizes}
    vision = {"image_size": 64, "patch_size": 16, **sizes}
    config = tf.Owlv2Config(text_config=text, vision_config=vision, projection_dim=16)
    tf.Owlv2ForObjectDetection(config).save_pretrained(folder)
    images = tf.Owlv2ImageProcessorPil(size={"height": 64, "width": 64})
    tf.Owlv2Processor(images, tokenizer).save_pretrained(folder)


def tiny_dino(folder):
    import transformers as tf

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "red", "blue", "block"]
    tokenizer = tf.BertTokenizer(vocab={word: i for i, word in enumerate(words)})
    swin = {"embed_dim": 8, "depths": [1] * 4, "num_heads": [1] * 4, "window_size": 2, "image_size": 64}
    bert = {"vocab_size": len(words), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    layers = {
        f"{half}_{what}": size for half in ("encoder", "decoder") for what, size in (("ffn_dim", 16), ("layers", 2))
    }
    config = tf.GroundingDinoConfig(
        backbone_config={"model_type": "swin", "out_indices": [2, 3, 4], **swin},
        text_config={"model_type": "bert", "intermediate_size": 16, "max_position_embeddings": 32, **bert},
        **layers,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        d_model=32,
        num_queries=10,
        max_text_len=32,
    )
    tf.GroundingDinoForObjectDetection(config).save_pretrained(folder)
    images = tf.GroundingDinoImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})
    tf.GroundingDinoProcessor(images, tokenizer).save_pretrained(folder)


def tiny_sam(folder):
    import transformers as tf

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "mlp_dim": 16}
    image = {"image_size": 64, "patch_size": 16}
    config = tf.SamConfig(
        vision_config={
            "output_channels": 16,
            "global_attn_indexes": [0],
            "window_size": 2,
            "num_pos_feats": 8,
            **image,
            **sizes,
        },
        prompt_encoder_config={"hidden_size": 16, **image},
        mask_decoder_config={"iou_head_hidden_dim": 16, **sizes},
    )
    tf.SamModel(config).save_pretrained(folder)
    images = tf.SamImageProcessorPil(
        size={"longest_edge": 64},
        pad_size={"height": 64, "width": 64},
        mask_size={"longest_edge": 16},
        mask_pad_size={"height": 16, "width": 16},
    )
    tf.SamProcessor(images).save_pretrained(folder)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    pytest.importorskip("transformers")
    import torch

    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("models")
    for make in (tiny_owl, tiny_dino, tiny_sam):
        make(root / make.__name__)
    return root


PICTURE = np.random.default_rng(0).integers(0, 255, (48, 64, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "queries"), [("tiny_owl", 16), ("tiny_dino", 10)])
def test_box_models_answer_for_every_text(models, kind, queries):
    scores, boxes = BoxModel(models / kind).find(PICTURE, ["red block", "blue block", "block"])
    assert scores.shape == (queries, 3) and boxes.shape == (queries, 4)
    assert ((scores >= 0) & (scores <= 1)).all() and np.isfinite(boxes).all()
    assert np.ptp(scores, axis=1).max() > 0  # the texts are told apart


@pytest.mark.slow
def test_scores_of_grounding_dino_are_means_over_the_words_of_a_text(models):
    model = BoxModel(models / "tiny_dino")
    scores = np.arange(10, dtype=np.float32)[None, :]
    # [CLS] red block . blue . [SEP]
    np.testing.assert_allclose(model._per_text(scores, [2, 6, 8, 5, 7, 5, 3], 2), [[1.5, 4.0]])
    with pytest.raises(BadInput, match="full stop"):
        model.find(PICTURE, ["red. block"])


@pytest.mark.slow
def test_owl_boxes_are_in_pixels_of_the_unpadded_picture(models):
    model = BoxModel(models / "tiny_owl")
    _, wide = model.find(PICTURE, ["block"])
    square = np.concatenate([PICTURE, np.zeros((16, 64, 3), np.uint8)])
    _, padded = model.find(square, ["block"])
    np.testing.assert_allclose(wide, padded, atol=0.5)  # the model pads with black by itself


@pytest.mark.slow
def test_mask_models_give_a_mask_a_box(models):
    model = MaskModel(models / "tiny_sam")
    masks = model.cut_out(PICTURE, np.array([[1, 2, 30, 40], [5, 5, 20, 20]], np.float32))
    assert masks.shape == (2, 48, 64) and masks.dtype == bool
    assert model.cut_out(PICTURE, np.empty((0, 4), np.float32)).shape == (0, 48, 64)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "loader"), [("tiny_owl", BoxModel), ("tiny_dino", BoxModel), ("tiny_sam", MaskModel)])
def test_files_that_ask_for_torchvision_load_without_it(models, kind, loader):
    settings = json.loads((models / kind / "processor_config.json").read_text())
    asked = settings["image_processor"]["image_processor_type"]  # the class that the hub's files name
    assert asked.endswith("ImageProcessor")
    loaded = type(loader(models / kind)._processor.image_processor).__name__
    assert loaded == (asked if importlib.util.find_spec("torchvision") else f"{asked}Pil")


@pytest.mark.slow
def test_the_whole_chain_runs_on_a_scene(models, shown, arm):
    chain = VisionModels(BoxModel(models / "tiny_owl"), MaskModel(models / "tiny_sam"))
    detector = OpenVocabularyDetector(chain, VOCABULARY, threshold=0.0)
    scene = Scene(shown.look(("front", "overhead")), detector, kinematics=arm())
    assert scene.names == ["red block", "blue block"] and len(scene.cloud) > 1000


@pytest.mark.slow
def test_models_that_are_not_there_or_of_another_kind(models, tmp_path):
    for source in ("no/such-model", tmp_path / "nothing", tmp_path):
        with pytest.raises(ModelUnavailable, match="neither a folder with a transformers model") as caught:
            BoxModel(source)
        assert "\n" not in str(caught.value)
    with pytest.raises((BadInput, ModelUnavailable)):
        MaskModel(models / "tiny_owl")
