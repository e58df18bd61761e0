"""Pretrained models behind two questions: where in a picture is what these words say, and which pixels is it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...robots.errors import BadInput, MissingExtra, ModelUnavailable

Scores = NDArray[np.float32]
Boxes = NDArray[np.float32]

BOX_MODELS = ("owlvit", "owlv2", "grounding-dino")
"""The `model_type`s that `BoxModel` knows how to ask."""


class BoxModel:
    """OWL-ViT, OWLv2 or Grounding DINO.

    source: a folder as `save_pretrained` writes it, or the name of a model in the local hub cache. Nothing is
    downloaded. Raises ModelUnavailable when it cannot be loaded, BadInput for a model of another kind, MissingExtra
    without `transformers`.
    """

    def __init__(self, source: str | Path) -> None:
        self._processor, self._model = _load(source, "AutoModelForZeroShotObjectDetection")
        self._kind = self._model.config.model_type
        if self._kind not in BOX_MODELS:
            raise BadInput(f"{source} is a {self._kind} model; boxes come from: {', '.join(BOX_MODELS)}")

    def find(self, rgb: NDArray[np.uint8], texts: Sequence[str]) -> tuple[Scores, Boxes]:
        """Look for each of `texts` in `rgb` (H, W, 3).

        Returns scores (Q, len(texts)) in 0-1 and boxes (Q, 4), pixels, x and y of two corners: every box that the
        model considers, with how well each text describes what is in it.
        """
        dino = self._kind == "grounding-dino"
        prompt: Any = (
            ". ".join(text.lower() for text in texts) + "." if dino else [[f"a photo of a {t}" for t in texts]]
        )
        padding = {} if dino else {"padding": "max_length"}
        inputs = self._processor(images=rgb, text=prompt, return_tensors="pt", truncation=True, **padding)
        outputs = _run(self._model, inputs)
        scores = outputs.logits[0].sigmoid().cpu().numpy()
        if dino:
            scores = self._per_text(scores, inputs["input_ids"][0].tolist(), len(texts))
        # OWLv2 pads a picture to a square below and to the right; its boxes are shares of that.
        height, width = (max(rgb.shape[:2]),) * 2 if self._kind == "owlv2" else rgb.shape[:2]
        center, size = np.split(outputs.pred_boxes[0].cpu().numpy(), 2, axis=1)
        corners = np.concatenate([center - size / 2, center + size / 2], axis=1)
        return scores, corners * np.array([width, height, width, height], dtype=np.float32)

    def _per_text(self, scores: Scores, tokens: list[int], count: int) -> Scores:
        """Mean over the tokens of each text: the maximum would not tell a red block from a blue one by "block"."""
        tokenizer = self._processor.tokenizer
        stop, framing = tokenizer.convert_tokens_to_ids("."), set(tokenizer.all_special_ids)
        means, current = [], list[int]()
        for place, token in enumerate(tokens):
            if token == stop:
                means.append(scores[:, current].mean(axis=1) if current else np.zeros(len(scores), np.float32))
                current = []
            elif token not in framing:
                current.append(place)
        if len(means) != count:
            raise BadInput(f"{count} names are too many words for this model, or one of them has a full stop in it")
        return np.stack(means, axis=1)


class MaskModel:
    """Segment Anything. source: as for `BoxModel`, and the same errors."""

    def __init__(self, source: str | Path) -> None:
        self._processor, self._model = _load(source, "AutoModelForMaskGeneration")
        if self._model.config.model_type != "sam":
            raise BadInput(f"{source} is a {self._model.config.model_type} model; masks come from: sam")

    def cut_out(self, rgb: NDArray[np.uint8], boxes: Boxes) -> NDArray[np.bool_]:
        """(B, H, W) bool: in `rgb` (H, W, 3) the thing in each of `boxes` (B, 4), pixels."""
        if not len(boxes):
            return np.zeros((0, *rgb.shape[:2]), dtype=bool)
        inputs = self._processor(images=rgb, input_boxes=[boxes.astype(float).tolist()], return_tensors="pt")
        sizes = inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes")
        outputs = _run(self._model, inputs, multimask_output=False)
        (masks,) = self._processor.post_process_masks(outputs.pred_masks.cpu(), *sizes)
        return np.asarray(masks[:, 0].numpy())


def _load(source: str | Path, model_class: str) -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingExtra("transformers", "perception") from error
    try:
        processor = transformers.AutoProcessor.from_pretrained(source, local_files_only=True)
        model = getattr(transformers, model_class).from_pretrained(source, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            f"cannot load the model {str(source)!r}: it is neither a folder with a transformers model of this kind "
            f"nor in the local hub cache; `hf download NAME --local-dir FOLDER` fetches one"
        ) from error
    return processor, model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def _run(model: Any, inputs: Any, **options: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(**inputs.to(model.device), **options)
