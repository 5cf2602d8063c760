#!/usr/bin/env python3
"""Makes the tokenizer files in this folder, and what Hugging Face's own implementation makes of some
difficult texts with them (cases.json), so that the tests can compare.

    pip install tokenizers==0.23.3 && ./make.py

The files are as the models' own are built, but with small vocabularies, learnt from the text below.
"""

import json
import pathlib
import random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent

TEXT = """
A scheduler decides which requests run and which wait. When it's late, the requests that don't fit
are held back, and we'll serve those that we've promised first; they're the ones I'd have picked.
She said: "You can't run 1000 requests in 64 blocks of 16 tokens, and I'm sure that's so." In 2024
there were 12345678 tokens in the queue, 3.14 of them for each of the 28 tenants, at 99.9 percent.
The quick brown fox jumps over the lazy dog while the server serves the tokens of the sequences.
HTTP/1.1 200 OK; {"max_tokens": 128, "stream": true}, [1, 2, 3], x = y + z * (a - b) / c != 0
    for (int i = 0; i < n; ++i) {
        total += tokens[i];
    }
	return total;
Der Zeitplaner wählt, welche Anfragen laufen; große Blöcke über kleine. Où est passé l'été? Ça va
bien, merci. El año pasado aprendió mañana. Привет, мир: планировщик решает, кто ждёт. Γεια σου,
κόσμε. שלום עולם. مرحبا بالعالم، كيف الحال؟ नमस्ते दुनिया। 你好，世界。调度器决定谁先运行。こんにちは世界、
順番を待ってください。안녕하세요 세계. 🙂 🚀 👩‍💻 👍🏽 tokens tokens tokens the the the and and and
"""

TEXTS = [
    "", " ", "  ", "   ", "\n", "\n\n", "\t", " \n", "\n ", " \n \n  ", "\r\n", "a\r\nb\r\n\r\nc",
    "a", " a", "a ", " a ", "  a  ", "Hello, world!", "The requests that don't fit are held back.",
    "it's I'm you're we've he'd they'll can't", "IT'S I'M YOU'RE WE'VE HE'D THEY'LL CAN'T",
    "don’t it’s", "'s't're've'm'll'd", "'S'T'RE'VE'M'LL'D", "rock'n'roll o'clock ''tis'' ' s",
    "'\u017f'\u017f '\u017ft", "tokens'll tokens'LL tokens'Ll", "0 1 12 123 1234 12345 123456 1234567",
    "3.14159 1,000,000 1e-9 0x1F ½ ² Ⅷ ٣٤٥ 一二三", "a1b2c3 abc123def v2.0.1-rc3",
    "tokens[i] += total; // the total", "    for (int i = 0; i < n; ++i) {\n        x;\n    }\n",
    "\tif x:\n\t\treturn y\n", "a\tb\t\tc", "one  two   three    four", "trailing   ",
    "   leading", "a \n b\n  c\n\n   d\n\n\n", "x\u00a0y\u2003z\u3000w\u2028v\u0085u",
    "a\u180eb \u180e c", "a\u200bb\ufeffc\u2060d", "\x00 \x01\x1c\x1f \x7f",
    "你好，世界。调度器决定谁先运行。", "こんにちは世界、順番を待ってください。", "안녕하세요 세계",
    "你好hello世界world", "Привет, мир! Γεια σου, κόσμε.", "שלום עולם, 123 שלום",
    "مرحبا بالعالم، كيف الحال؟ ١٢٣۔", "नमस्ते दुनिया। क्षत्रिय", "ไทยไม่เว้นวรรค",
    "été e\u0301te\u0301 n\u0303 a\u0308\u0323 Å \u212b ﬁ ﬀ ß ẞ İ ı",
    "Z\u0351\u036b\u0343a\u0363\u0346l\u0369g\u0342o\u0329", "🙂", "🙂🚀 🙂 🚀", "👩‍💻 👨‍👩‍👧‍👦 👍🏽 🏳️‍🌈",
    "🇩🇪🇫🇷🇯🇵", "\U0001f468\u200d", "\U0010ffff\U000e0001\ue000", "𝓗𝓮𝓵𝓵𝓸 𝟙𝟚𝟛 𐍈",
    "(a|b) [c] {d} <e> f(g)h,i.j!k?l…m。n，o、p।q۔r،s", "http://example.com/a?b=c&d=%20#e",
    "user@example.com -- __init__ ### === *** ~~~ \\n \\t", "…!?.,;:—–-", "!!!???...,,,", "a.b.c.d.e",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "the the the and and and tokens tokens",
    "The quick brown fox jumps over the lazy dog while the server serves the tokens.",
    "<|endoftext|>", "a<|endoftext|>b", "a <|endoftext|> b<|endoftext|><|endoftext|>", "<|endoftext",
    "<s>", "</s>", "<s> a </s>b <unk><pad>", "x </s> y", "<0x41><0x0A>",
    "<|begin_of_text|>The requests<|eot_id|>", "a  <|mask|>  b<|mask|>", "a<tool>b <tool> c",
    "▁a ▁b", "Ġtokens Ċ", " scheduling", "scheduling a scheduling", " token-yard", "über große Blöcke",
]

GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"


def split_and_bytes(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def learn(pre_tokenizer, specials, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator([TEXT], trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    return tokenizer


def begin_with(name, token):
    return processors.TemplateProcessing(single=f"{name} $A", pair=f"{name} $A {name} $B",
                                         special_tokens=[(name, token)])


def make_gpt2():
    tokenizer = learn(GPT2, [], 600)
    tokenizer.add_special_tokens(["<|endoftext|>"])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def make_opt():
    """GPT-2's splitting; "</s>" begins a text. Stored as vocab.json and merges.txt, with a
    configuration that gives roles to "</s>" and "<pad>" only."""
    learnt = json.loads(learn(GPT2, ["<s>", "<pad>", "</s>", "<unk>"], 600).to_str())["model"]
    tokenizer = Tokenizer(models.BPE(learnt["vocab"], [tuple(merge) for merge in learnt["merges"]]))
    tokenizer.pre_tokenizer = GPT2
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["</s>", "<pad>"])
    tokenizer.post_processor = begin_with("</s>", 2)
    return tokenizer


def make_llama3():
    """With two pieces that no merges lead to: only ignore_merges finds them."""
    tokenizer = learn(split_and_bytes(LLAMA3), [], 560)
    model = json.loads(tokenizer.to_str())["model"]
    for piece in ["Ġscheduling", "scheduling"]:
        model["vocab"][piece] = len(model["vocab"])
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer.model = models.BPE(model["vocab"], merges, ignore_merges=True)
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>",
                                  AddedToken("<|mask|>", lstrip=True, rstrip=True)])
    tokenizer.add_tokens(["<tool>", "<tool> c"])
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=False), begin_with("<|begin_of_text|>", begin)])
    return tokenizer


def make_bloom():
    tokenizer = learn(split_and_bytes(BLOOM), ["<unk>", "<s>", "</s>", "<pad>"], 600)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


def make_llama2():
    """Characters, with bytes for those that it has not; a space is U+2581."""
    normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizer
    lines = [line for line in TEXT.split("\n") if all(ord(letter) < 0x250 for letter in line)]
    learner.train_from_iterator(lines, trainers.BpeTrainer(vocab_size=500, show_progress=False))
    learnt = json.loads(learner.to_str())["model"]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    names += [name for name, _ in sorted(learnt["vocab"].items(), key=lambda item: item[1])]
    tokenizer = Tokenizer(models.BPE(
        {name: token for token, name in enumerate(names)},
        [tuple(merge) for merge in learnt["merges"]],
        unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(),
                                           decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = begin_with("<s>", 1)
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    return tokenizer


def save(name, tokenizer):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    if name == "opt":
        tokenizer.model.save(str(folder))
        roles = {role: "</s>" for role in ("bos_token", "eos_token", "unk_token")}
        config = {"tokenizer_class": "GPT2Tokenizer", "add_bos_token": True,
                  "add_prefix_space": False, "pad_token": "<pad>",
                  **{role: {"__type": "AddedToken", "content": name} for role, name in roles.items()},
                  "special": None}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")
        return
    content = json.loads(tokenizer.to_str())
    if name == "gpt2":  # as the published file is: of no type, and each merge in one string
        del content["model"]["type"]
        content["model"]["merges"] = [" ".join(merge) for merge in content["model"]["merges"]]
    text = json.dumps(content, ensure_ascii=False, indent=0)
    (folder / "tokenizer.json").write_text(text + "\n")


def encode(tokenizer, text, specials_in_text):
    tokenizer.encode_special_tokens = not specials_in_text
    return tokenizer.encode(text).ids


def random_decodings(tokenizers):
    """Random tokens, which are mostly not valid UTF-8, as text."""
    draw = random.Random(1)
    for name in ("gpt2", "bloom"):
        for length in range(1, 21):
            tokens = [draw.randrange(300) for _ in range(length)]
            yield {"tokenizer": name, "tokens": tokens, "text": tokenizers[name].decode(tokens)}


def main():
    makers = {"gpt2": make_gpt2, "opt": make_opt, "llama3": make_llama3, "bloom": make_bloom,
              "llama2": make_llama2}
    tokenizers = {name: make() for name, make in makers.items()}
    for name, tokenizer in tokenizers.items():
        save(name, tokenizer)
    prefixed = Tokenizer.from_str(tokenizers["gpt2"].to_str())
    prefixed.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizers["gpt2 with add_prefix_space"] = prefixed

    lines = []
    for text in TEXTS:
        case = {"text": text}
        for name, tokenizer in tokenizers.items():
            case[name] = encode(tokenizer, text, False)
            special = encode(tokenizer, text, True)
            if special != case[name]:
                case[name + ", parse_special"] = special
        lines.append(json.dumps(case, separators=(",", ":")))
    decodings = [json.dumps(decoding, separators=(",", ":")) for decoding in random_decodings(tokenizers)]
    (HERE / "cases.json").write_text('{"cases":[\n' + ",\n".join(lines) + '\n],\n"decodings":[\n' +
                                     ",\n".join(decodings) + "\n]}\n")


if __name__ == "__main__":
    main()
