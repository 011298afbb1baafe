//! What bytes are that are no safetensors file, as far as their beginning tells.

use super::ModelError;

/// How a file of another kind begins, what it is, and what to do.
const MAGIC: [(&[u8], &str, &str); 5] = [
    (b"PK\x03\x04", "a zip archive, as torch.save writes it", PYTORCH),
    (b"\x1f\x8b\x08", "a gzip archive", "decompress it first"),
    (b"\x89HDF", "an HDF5 file, as Keras writes it", RENAME),
    (b"GGUF", "a GGUF file", RENAME),
    (
        b"version https://git-lfs",
        "a git-lfs pointer, which stands for the file",
        "fetch the file itself, by `git lfs pull` or from where its host serves it",
    ),
];
const PYTORCH: &str = "load it in PyTorch and save its state_dict by safetensors.torch.save_file";
const RENAME: &str = "save its weights by safetensors, under the names that PyTorch's layers have";
const ANSWER: &str = "check the address: this is what the server answered";
/// What a file without a byte is.
pub(super) const EMPTY: &str = "an empty file";
const SHORTEST_TEXT: usize = 4;

/// The error for bytes of another kind, if they are of one that is known.
pub(super) fn recognise(file: &[u8]) -> Option<ModelError> {
    let of = |what: &str, remedy| Some(ModelError::Foreign { what: what.into(), remedy });
    if file.is_empty() {
        return of(EMPTY, "fetch or write it again");
    }
    let text = file.trim_ascii_start();
    let begins = |magic: &[u8]| text.get(..magic.len()).is_some_and(|head| head.eq_ignore_ascii_case(magic));
    if let Some((_, what, remedy)) = MAGIC.iter().find(|(magic, ..)| begins(magic)) {
        return of(what, remedy);
    }
    match *file {
        // The version of the protocol.
        [0x80, 2..=5, third, ..] if third != 0 => {
            return of("a Python pickle, as torch.save writes it", PYTORCH);
        }
        // The first fields of a model: its version, then its producer, its graph or its operators.
        [8, 1..=32, 0x12 | 0x1a | 0x22 | 0x3a | 0x42, ..] => return of("an ONNX model", RENAME),
        _ => {}
    }
    let head = printable(text)?;
    let (what, remedy) = match text[0] {
        b'<' => ("an HTML or XML document", ANSWER),
        b'{' | b'[' => ("a JSON document", ANSWER),
        _ => ("text", "give the bytes of the file, not its address or what a server says instead"),
    };
    of(&format!("{what} that begins with {head:?}"), remedy)
}

/// The first characters, if the bytes begin with some and all of them can be shown.
fn printable(bytes: &[u8]) -> Option<&str> {
    let head = &bytes[..bytes.len().min(80)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character that is cut off at the end.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    let shown = |c: char| !c.is_control() || c.is_ascii_whitespace();
    (text.len() >= SHORTEST_TEXT && text.chars().all(shown)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::Model;
    use super::*;

    #[test]
    fn what_is_no_model_says_what_it_is_and_what_to_do() {
        let kinds: [(&[u8], &str, &str); 19] = [
            (b"", EMPTY, "again"),
            (b"<!DOCTYPE html>\n<title>404</title>", "<!DOCTYPE html>", "address"),
            (b"\n  <html><body>", "an HTML or XML document", "address"),
            (b"<?xml version=\"1.0\"?><Error>", "an HTML or XML document", "address"),
            (
                b"{\"error\": \"Repository not found\"}",
                "{\\\"error\\\": \\\"Repository not found\\\"}",
                "address",
            ),
            (b"[]\n\n\n", "a JSON document", "address"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n",
                "git-lfs pointer",
                "git lfs pull",
            ),
            (b"PK\x03\x04\0\0\x08\x08\0\0\0\0archive/data.pkl", "a zip archive", "save_file"),
            (b"PK\x03\x04\x14\0\0\0\0\0", "a zip archive", "save_file"),
            (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a Python pickle", "save_file"),
            (b"\x80\x04\x95\x1c\0\0\0\0\0\0\0}", "a Python pickle", "save_file"),
            (b"\x08\x08\x12\x07pytorch\x1a\x05", "an ONNX model", "under the names"),
            (b"\x08\x0a:\x90\x01\n\x10\n\x01x", "an ONNX model", "under the names"),
            (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xed\xbd", "a gzip archive", "decompress"),
            (b"\x89HDF\r\n\x1a\n\0\0\0\0", "an HDF5 file", "under the names"),
            (b"GGUF\x03\0\0\0\x10\0\0\0", "a GGUF file", "under the names"),
            (b"models/sentiment.safetensors", "\"models/sentiment.safetensors\"", "not its address"),
            (b"https://example.org/m", "\"https://example.org/m\"", "not its address"),
            ("404: nicht gefunden – näheres folgt".as_bytes(), "404: nicht", "what a server says"),
        ];
        for (bytes, what, remedy) in kinds {
            let error = Model::from_bytes(bytes).unwrap_err();
            let message = error.to_string();
            assert!(message.contains(what) && message.contains(remedy), "{bytes:?}: {message}");
            assert!(message.starts_with("not a safetensors file but "), "{message}");
            let code = if bytes.is_empty() { "MODEL_TRUNCATED" } else { "MODEL_INVALID" };
            assert_eq!(error.code(), code, "{bytes:?}");
        }
    }

    #[test]
    fn a_character_cut_in_two_is_left_off() {
        let text = format!("{}é", "x".repeat(79));
        assert_eq!(printable(text.as_bytes()), Some(&text[..79]));
        assert_eq!(printable(b"abc\0def"), None);
        assert_eq!(printable(b"abc"), None, "the length of a header that is cut off");
    }
}
