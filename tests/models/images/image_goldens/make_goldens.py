#!/usr/bin/env python3
"""Makes the files of this folder: small images of every kind that is read, and what Pillow and the image processors of
transformers make of them. goldens.json names the versions that were used.

    python3 -m venv VENV && VENV/bin/pip install pillow numpy transformers
    VENV/bin/python make_goldens.py SHARED_DATA

SHARED_DATA is the folder of the shared data, whose images are described too, but not copied.

Pixels are given as the SHA-256 of their bytes: RGB, row by row; of a model's input, float32 in the order [3, H, W].
"""
import hashlib
import io
import json
import pathlib
import struct
import sys
import zlib

import numpy
import PIL
import PIL.features
import transformers
from PIL import Image
from transformers.models.beit.image_processing_pil_beit import BeitImageProcessorPil
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil
from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

FOLDER = pathlib.Path(__file__).parent
HEIGHT, WIDTH = 13, 21

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
# First row and column, and steps, of Adam7's passes.
ADAM7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]


def digest(array):
    return hashlib.sha256(numpy.ascontiguousarray(array).tobytes()).hexdigest()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed_rows(samples, depth):
    """Samples [h, w, channels] as PNG stores them, each row after the number of its filter: none."""
    rows = []
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            data = row.astype(">u2").tobytes()
        elif depth == 8:
            data = row.astype(numpy.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in row)
            bits += "0" * (-len(bits) % 8)
            data = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        rows.append(b"\0" + data)
    return b"".join(rows)


def png(samples, colour, depth, interlaced=False, chunks=()):
    """A PNG file of samples [h, w, channels]; `chunks` come before the pixels. The data is split over two chunks."""
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour, 0, 0, interlaced)
    parts = [samples[y::dy, x::dx] for y, x, dy, dx in ADAM7] if interlaced else [samples]
    data = zlib.compress(b"".join(packed_rows(part, depth) for part in parts if part.size), 9)
    blocks = [(b"IHDR", header), *chunks, (b"IDAT", data[:40]), (b"IDAT", data[40:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*block) for block in blocks)


def random_samples(random, colour, depth, limit=None):
    return random.integers(0, limit or 1 << depth, (HEIGHT, WIDTH, CHANNELS[colour]))


def png_files(random):
    palette = (b"PLTE", random.integers(0, 256, 3 * 256, dtype=numpy.uint8).tobytes())
    for depth in (1, 2, 4, 8, 16):
        yield f"grey{depth}.png", png(random_samples(random, GREY, depth), GREY, depth)
    # Pillow takes greys above 255 for white.
    yield "grey16-dark.png", png(random_samples(random, GREY, 16, 400), GREY, 16)
    for depth in (1, 2, 4, 8):
        few = (b"PLTE", palette[1][:3 << depth])
        yield f"palette{depth}.png", png(random_samples(random, PALETTE, depth), PALETTE, depth, chunks=[few])
    for depth in (8, 16):
        for name, colour in (("rgb", RGB), ("grey-alpha", GREY_ALPHA), ("rgba", RGBA)):
            yield f"{name}{depth}.png", png(random_samples(random, colour, depth), colour, depth)
    transparency = (b"tRNS", bytes(range(0, 160, 10)))
    yield "palette-transparent.png", png(random_samples(random, PALETTE, 4), PALETTE, 4, True,
                                         [(b"PLTE", palette[1][:48]), transparency])
    # Four of sixteen colours are not in the palette.
    yield "palette-short.png", png(random_samples(random, PALETTE, 4), PALETTE, 4, chunks=[(b"PLTE", palette[1][:36])])
    yield "grey-transparent.png", png(random_samples(random, GREY, 8), GREY, 8, chunks=[(b"tRNS", b"\0\x50")])
    yield "rgb-interlaced.png", png(random_samples(random, RGB, 8), RGB, 8, True)
    yield "grey1-interlaced.png", png(random_samples(random, GREY, 1), GREY, 1, True)
    yield "rgb-gamma.png", png(random_samples(random, RGB, 8), RGB, 8, chunks=[(b"gAMA", struct.pack(">I", 100000))])


def smooth_image(random, height, width):
    """Waves and a little noise, so that JPEG has something to keep."""
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [127 + 90 * numpy.sin(x / a) * numpy.cos(y / b) for a, b in ((3, 5), (7, 2), (4, 4))]
    noise = random.normal(0, 12, (height, width, 3))
    return (numpy.stack(waves, -1) + noise).clip(0, 255).astype(numpy.uint8)


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "jpeg", quality=80, **options)
    return file.getvalue()


def jpeg_files(random):
    image = Image.fromarray(smooth_image(random, HEIGHT, WIDTH))
    yield "grey.jpg", jpeg(image.convert("L"))
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        yield f"colour{subsampling.replace(':', '')}.jpg", jpeg(image, subsampling=subsampling)
    yield "progressive.jpg", jpeg(image, progressive=True)
    yield "restarts.jpg", jpeg(image, restart_marker_blocks=1)
    yield "rgb.jpg", jpeg(image, keep_rgb=True)
    yield "cmyk.jpg", jpeg(image.convert("CMYK"))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned for display; the pixels stay as they are
    yield "turned.jpg", jpeg(image, exif=exif)
    whole = jpeg(image, subsampling="4:4:4")
    # The end marker comes early: part of the image is missing, and still Pillow reads it.
    yield "ended-early.jpg", whole[:-100] + b"\xff\xd9"


def rgb_of(name):
    return Image.open(FOLDER / name).convert("RGB")


def decoded(name):
    pixels = numpy.array(rgb_of(name))
    return {"file": name, "height": pixels.shape[0], "width": pixels.shape[1], "sha256": digest(pixels)}


def resized(name, height, width, resample):
    pixels = numpy.array(rgb_of(name).resize((width, height), resample))
    return {"file": name, "height": height, "width": width, "resample": resample, "sha256": digest(pixels)}


def processed(name, processor, height, width, config):
    values = processor(**config)(rgb_of(name))["pixel_values"][0]
    assert values.shape == (3, height, width), values.shape
    file = {"image_processor_type": processor.__name__.removesuffix("Pil"), **config}
    return {"file": name, "height": height, "width": width, "config": file,
            "sha256": digest(values.astype(numpy.float32))}


def resize_cases():
    sizes = [(29, 41), (29, 17), (12, 41), (7, 9), (58, 82), (61, 50), (13, 100), (5, 38), (1, 1), (90, 3), (28, 40)]
    return [resized("waves.png", *size, resample) for resample in range(6) for size in sizes]


def process_cases():
    half = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    colours = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
    crop = {"do_center_crop": True}
    vit, clip, deit = ViTImageProcessorPil, CLIPImageProcessorPil, DeiTImageProcessorPil
    cases = []
    for name in ("waves.png", "tall.png"):
        cases += [
            (name, vit, 224, 224, {}),
            (name, vit, 16, 16, {"size": 16}),
            (name, vit, 12, 20, {"size": {"height": 12, "width": 20}, "resample": 3, **colours}),
            (name, vit, 20, 18, {"size": [20, 18], "resample": 0, "do_normalize": False}),
            (name, vit, 14, 14, {"size": {"shortest_edge": 16}, "crop_size": 14, **crop, **half}),
            (name, vit, 15, 13, {"size": {"shortest_edge": 16}, "crop_size": {"height": 15, "width": 13}, **crop}),
            (name, vit, 15, 60, {"do_resize": False, "crop_size": [15, 60], **crop}),
            (name, vit, 60, 18, {"do_resize": False, "crop_size": [60, 18], "do_rescale": False, **crop}),
            (name, vit, 8, 8, {"size": 8, "rescale_factor": 0.0078125, "image_mean": 1.0, "image_std": 0.7}),
            (name, vit, 8, 8, {"size": 8, "do_rescale": False, "do_normalize": False}),
            (name, deit, 224, 224, {}),
            (name, deit, 12, 12, {"size": 15, "crop_size": 12, "resample": 1}),
            (name, BeitImageProcessorPil, 10, 10, {"size": 10}),
            (name, clip, 224, 224, {}),
            (name, clip, 18, 18, {"size": 18, "crop_size": 18}),
            (name, clip, 18, 18, {"size": 18, "default_to_square": True, "crop_size": 18}),
            (name, BitImageProcessorPil, 18, 18, {"size": {"shortest_edge": 20}, "crop_size": 18}),
            (name, ConvNextImageProcessorPil, 384, 384, {}),
            (name, ConvNextImageProcessorPil, 33, 33, {"size": {"shortest_edge": 33}}),
            (name, ConvNextImageProcessorPil, 33, 33, {"size": 33, "crop_pct": 0.95, "resample": 2, **colours}),
        ]
    return [processed(*case) for case in cases]


def shared_cases(data):
    """One digest of all 2,000 images, and the model's input for every hundredth, by its preprocessor_config.json."""
    processor = ViTImageProcessorPil.from_pretrained(data / "checkpoints/vit-tiny-tinyimagenet")
    folder = data / "images/tiny-imagenet-val2k"
    names = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*"))
    every = hashlib.sha256()
    for name in names:
        every.update(numpy.array(rgb_of(folder / name)).tobytes())
    inputs = [(name, processor(rgb_of(folder / name))["pixel_values"][0]) for name in names[::100]]
    return {"decoded_sha256": every.hexdigest(),
            "processed": [{"file": name, "sha256": digest(values)} for name, values in inputs]}


def main():
    random = numpy.random.default_rng(7)
    names = []
    for name, content in [*png_files(random), *jpeg_files(random)]:
        (FOLDER / name).write_bytes(content)
        names.append(name)
    Image.fromarray(smooth_image(random, 29, 41)).save(FOLDER / "waves.png")
    Image.fromarray(smooth_image(random, 50, 17)).save(FOLDER / "tall.png")
    goldens = {
        "made_by": {"script": "make_goldens.py", "pillow": PIL.__version__, "numpy": numpy.__version__,
                    "libjpeg_turbo": PIL.features.version_feature("libjpeg_turbo"),
                    "transformers": transformers.__version__},
        "shared": shared_cases(pathlib.Path(sys.argv[1])),
        "decoded": [decoded(name) for name in names],
        "resized": resize_cases(),
        "processed": process_cases(),
    }
    lists = {name: "[\n" + ",\n".join("  " + json.dumps(case) for case in goldens[name]) + "\n ]"
             for name in ("decoded", "resized", "processed")}
    lists.update({name: json.dumps(goldens[name]) for name in ("made_by", "shared")})
    text = ",\n ".join(f'"{name}": {lists[name]}' for name in goldens)
    (FOLDER / "goldens.json").write_text("{" + text + "}\n")


main()
