#!/usr/bin/env python3
"""Makes the tiny models of this folder and their golden vectors.

    python3 -m venv venv && venv/bin/pip install torch==2.9.1 transformers==4.57.6 numpy==2.2.6
    venv/bin/python tests/data/golden_models/make.py [FOLDER]

A model is random, but lively: biases, shifts and scales are drawn too, so that a forgotten one
changes the logits, and greedy decoding wanders. The logits are those of Hugging Face transformers
on PyTorch, with the weights as stored, in double precision throughout; only the rotary frequencies
are rounded to float32, once, because that is how the engine holds them.
"""
import json
import pathlib
import platform
import shutil
import sys

import numpy
import torch
import transformers
from torch.overrides import TorchFunctionMode
from transformers import (AutoModelForCausalLM, BloomConfig, GPT2Config, LlamaConfig,
                          MistralConfig, MptConfig, OPTConfig)

VOCABULARY, CONTEXT = 97, 256  # odd, as a kernel may not like it
PROMPT_LENGTHS = (1, 7, 40)
GREEDY_TOKENS = 200

LLAMA3_ROPE = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
               "high_freq_factor": 4.0, "original_max_position_embeddings": 64}

# Of each: configuration, stored type and seed; where given, the gain of matrices that do not end in
# the residual stream, the size of a shard, and "base": a checkpoint without head, whose names lack
# their prefix (as GPT-2 was published).
MODELS = {
    "llama": dict(
        config=LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=86, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=CONTEXT,
            rms_norm_eps=1e-5, tie_word_embeddings=False, bos_token_id=1, eos_token_id=2),
        stored=torch.float32, seed=1, gain=1.5),
    "llama3": dict(  # scaled frequencies, heads wider than hidden / heads, several end tokens
        config=LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=72, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, head_dim=16,
            max_position_embeddings=CONTEXT, rms_norm_eps=1e-6, rope_theta=5000.0,
            rope_scaling=LLAMA3_ROPE, tie_word_embeddings=True, bos_token_id=90,
            eos_token_id=[91, 93]),
        stored=torch.bfloat16, seed=2, gain=3.0, shard="20KB"),
    "llama_biases": dict(  # in the layers' matrices; as many KV heads as heads
        config=LlamaConfig(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=60, num_hidden_layers=2,
            num_attention_heads=4, max_position_embeddings=CONTEXT, attention_bias=True,
            mlp_bias=True, bos_token_id=1, eos_token_id=2),
        stored=torch.float16, seed=7, gain=1.5),
    "mistral": dict(
        config=MistralConfig(
            vocab_size=VOCABULARY, hidden_size=32, intermediate_size=56, num_hidden_layers=2,
            num_attention_heads=8, num_key_value_heads=2, max_position_embeddings=CONTEXT,
            sliding_window=None, rope_theta=1e6, bos_token_id=1, eos_token_id=2),
        stored=torch.bfloat16, seed=8, gain=1.5),
    "gpt2": dict(
        config=GPT2Config(
            vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_inner=120, n_positions=CONTEXT,
            bos_token_id=95, eos_token_id=95),
        stored=torch.float32, seed=3, base=True),
    "opt": dict(
        config=OPTConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, ffn_dim=112,
            num_attention_heads=4, word_embed_proj_dim=32, max_position_embeddings=CONTEXT,
            bos_token_id=2, eos_token_id=2, pad_token_id=1),
        stored=torch.float16, seed=4),
    "bloom": dict(  # six heads: the slopes are interleaved where the count is no power of two
        config=BloomConfig(
            vocab_size=VOCABULARY, hidden_size=48, n_layer=2, n_head=6, seq_length=CONTEXT,
            bos_token_id=1, eos_token_id=2),
        stored=torch.bfloat16, seed=5),
    "mpt": dict(
        config=MptConfig(
            vocab_size=VOCABULARY, d_model=48, n_layers=2, n_heads=6, max_seq_len=CONTEXT,
            attn_config={"clip_qkv": 1.5}, bos_token_id=0, eos_token_id=0),
        stored=torch.float16, seed=6),
}

EMBEDDINGS = ("embed", "wte", "wpe")
INTO_THE_STREAM = ("o_proj", "out_proj", "c_proj", "dense", "down_proj", "fc2")


class AllInDouble(TorchFunctionMode):
    """Turns the places where a model's code asks for float32 (norms, softmax, rotations) into
    double, so that nothing is rounded to less on the way."""

    def __enter__(self):
        torch.set_default_dtype(torch.float64)
        return super().__enter__()

    def __exit__(self, *error):
        torch.set_default_dtype(torch.float32)
        return super().__exit__(*error)

    def __torch_function__(self, function, types, args=(), kwargs=None):
        def widen(value):
            return torch.float64 if value is torch.float32 else value
        if function is torch.Tensor.float:
            function = torch.Tensor.double
        kwargs = {key: widen(value) for key, value in (kwargs or {}).items()}
        return function(*map(widen, args), **kwargs)


def draw_weights(model, settings):
    draw = numpy.random.default_rng(settings["seed"])
    for name, parameter in model.named_parameters():  # a tied head comes once
        shape = tuple(parameter.shape)
        if len(shape) == 1:
            values = draw.uniform(0.5, 1.5, shape) if name.endswith("weight") else draw.normal(
                0, 0.3, shape)
        elif any(part in name for part in EMBEDDINGS):
            values = draw.normal(0, 0.5, shape)
        else:
            into_the_stream = any(part in name for part in INTO_THE_STREAM)
            # What a layer adds must outweigh the embedding, or a tied head repeats its input.
            gain = 8.0 if into_the_stream else settings.get("gain", 2.0)
            fan_in = shape[0] if ".c_" in name else shape[1]  # GPT-2's matrices are transposed
            values = draw.normal(0, gain / fan_in**0.5, shape)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values).to(settings["stored"]))


def save(folder, settings):
    torch.manual_seed(0)  # nothing of it stays
    model = AutoModelForCausalLM.from_config(settings["config"])
    stored = settings["stored"]
    draw_weights(model, settings)
    model = model.to(stored)
    (model.base_model if settings.get("base") else model).save_pretrained(
        folder, max_shard_size=settings.get("shard", "1GB"))
    (folder / "generation_config.json").unlink(missing_ok=True)


def in_double(plain):
    """The same model with the same weights, all in double."""
    with AllInDouble():
        model = AutoModelForCausalLM.from_config(
            plain.config, dtype=torch.float64, attn_implementation="eager").eval()
    model.load_state_dict(plain.state_dict())
    for name, tensor in list(model.named_parameters()) + list(model.named_buffers()):
        if tensor.is_floating_point():
            assert tensor.dtype == torch.float64, name
    if hasattr(model.base_model, "rotary_emb"):
        frequencies = model.base_model.rotary_emb.inv_freq
        frequencies.copy_(frequencies.float().double())
    return model


def greedy(model, prompt):
    """Greedy tokens by transformers' own generation, and at each step how far the best logit lies
    above the second."""
    model.generation_config.eos_token_id = None  # it goes on
    made = model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
        generation_config=transformers.GenerationConfig(
            do_sample=False, max_new_tokens=GREEDY_TOKENS, eos_token_id=None, pad_token_id=0,
            output_logits=True, return_dict_in_generate=True))
    assert made.sequences.shape[1] == len(prompt) + GREEDY_TOKENS
    best = torch.stack(made.logits)[:, 0].topk(2, dim=1).values
    return {"tokens": made.sequences[0, len(prompt):].tolist(),
            "gaps": [float(f"{gap:.3g}") for gap in (best[:, 0] - best[:, 1]).tolist()]}


def golden(folder, settings):
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model = in_double(plain)
    draw = numpy.random.default_rng([settings["seed"], 1])
    cases, difference = [], 0.0
    for length in PROMPT_LENGTHS:
        prompt = draw.integers(0, VOCABULARY, length).tolist()
        tokens = torch.tensor([prompt])
        with torch.no_grad(), AllInDouble():
            logits = model(tokens).logits[0]
            assert logits.dtype == torch.float64
            continued = greedy(model, prompt)
        with torch.no_grad():
            difference = max(difference, (plain(tokens).logits[0] - logits).abs().max().item())
        positions = sorted({0, length // 3, length // 2, length - 1})
        cases.append({"prompt": prompt,
                      "logits": [{"position": at, "values": logits[at].tolist()}
                                 for at in positions],
                      "greedy": continued})
        print(f"{folder.name}: prompt {length}: logits' deviation {logits.std():.2f}, "
              f"{len(set(continued['tokens']))} distinct greedy tokens, "
              f"least gap {min(continued['gaps'])}")
    print(f"{folder.name}: {difference:.1e} from plain float32")
    document = {
        "made_by": "tests/data/golden_models/make.py",
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "transformers": transformers.__version__, "numpy": numpy.__version__},
        "seed": settings["seed"],
        "largest_difference_from_float32": float(f"{difference:.1e}"),
        "cases": cases,
    }
    if hasattr(model.base_model, "rotary_emb"):
        document["rope_frequencies"] = model.base_model.rotary_emb.inv_freq.tolist()
    text = json.dumps(document, separators=(",", ":")).replace('{"prompt"', '\n{"prompt"')
    (folder / "golden.json").write_text(text + "\n")


def main():
    torch.set_num_threads(1)  # so that sums do not depend on the machine
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    for name, settings in MODELS.items():
        folder = root / name
        shutil.rmtree(folder, ignore_errors=True)
        save(folder, settings)
        golden(folder, settings)


if __name__ == "__main__":
    main()
