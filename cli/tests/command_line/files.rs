//! Models that are looked into, written anew and trained.

use std::fs;

use saccade_rnn::model::Reading;
use serde_json::{Value, json};

use crate::common::support::{checkpoint, compact, file};
use crate::common::{Folder, RUN, TEXTS, text};

#[test]
fn inspect_shows_config_and_tensors() {
    let folder = Folder::new();
    let seen = folder.json(&["inspect", "model"], b"");
    let config = &seen["config"];
    assert_eq!(config["labels"], json!(["negative", "positive"]));
    assert_eq!(
        (&config["skims"], &config["threshold"], &config["vocabularySize"]),
        (&json!(true), &json!(0.5), &json!(7))
    );
    assert_eq!(config["encoder"][0]["type"], "skim");
    assert_eq!(config["training"]["command"], "saccade train tiny.toml");
    assert_eq!((&seen["problem"], config.get("vocabulary")), (&Value::Null, None));
    let embedding = &seen["tensors"].as_array().expect("a list")[0];
    assert_eq!((&embedding["name"], &embedding["shape"]), (&json!("embedding.weight"), &json!([7, 3])));
    let [min, mean, max] = ["min", "mean", "max"].map(|part| embedding[part].as_f64().expect("a number"));
    assert!(min < mean && mean < max);

    let output = folder.run(&["inspect", "model"], b"");
    for part in
        ["type skim", "vocabulary      7 words", "saccade train tiny.toml", "embedding.weight", "[7, 3]"]
    {
        assert!(text(&output.stdout).contains(part), "{part}: {}", text(&output.stdout));
    }
}

#[test]
fn inspect_shows_a_plain_state_dict_and_a_model_that_does_not_fit() {
    let folder = Folder::new();
    let header = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#;
    folder.write("state_dict", &file(header, &[0x00, 0x3c, 0x00, 0xc0]));
    let seen = folder.json(&["inspect", "state_dict"], b"");
    let tensor = json!({ "name": "w", "dtype": "F16", "shape": [2], "bytes": 4, "min": -2.0, "max": 1.0, "mean": -0.5 });
    let bytes = 8 + header.len() + 4;
    let expected = json!({
        "bytes": bytes, "parameters": 2, "config": null, "problem": null,
        "metadata": { "format": "pt" }, "layers": [], "tensors": [tensor],
    });
    assert_eq!(seen, expected);
    let output = folder.run(&["inspect", "state_dict"], b"");
    assert!(text(&output.stdout).contains("no config"), "{}", text(&output.stdout));

    folder.write("tensors", &checkpoint().to_bytes(compact).expect("its numbers are finite"));
    let seen = folder.json(&["inspect", "tensors"], b"");
    assert_eq!(seen["problem"]["code"], "MODEL_TENSORS");
    assert_eq!(seen["tensors"].as_array().map(Vec::len), Some(3));
}

#[test]
fn export_writes_a_smaller_copy() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let export = ["export", "model", "--out", "small", "--words", "3", "--storage", "f16"];
    let done = folder.json(&[&export[..], &["--measure", "test=texts:lines"]].concat(), b"");
    assert_eq!(done["words"], json!(3));
    let size = |name: &str| fs::metadata(folder.path(name)).expect("it is there").len();
    assert_eq!(done["bytes"], json!(size("small")));
    assert!(size("small") < size("model"));
    let reading: Reading =
        serde_json::from_value(folder.json(&["read", "--model", "small", "a good film"], b""))
            .expect("a reading");
    assert_eq!(reading.tokens.len(), 3);
    let eval = folder.json(&["eval", "--model", "small", "--data", "texts", "--format", "lines"], b"");
    let recorded = &folder.json(&["inspect", "small"], b"")["config"]["training"]["figures"]["test_accuracy"];
    assert_eq!(recorded, &eval["accuracy"], "the figures are those of the copy");
}

#[test]
fn train_writes_a_model_and_names_what_is_missing() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    folder.write("run.toml", RUN);
    let output = folder.run(&["train", "run.toml", "--data", ".", "--out", "made", "--json"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let events: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("one value")).collect();
    assert_eq!(events.iter().filter(|event| !event["evaluated"].is_null()).count(), 2);
    assert_eq!(events.last().expect("there is one")["done"]["dev"]["n"], json!(32));
    assert_eq!(
        folder.json(&["read", "--model", "made", "good"], b"")["tokens"][0]["decision"],
        json!("read")
    );

    let (code, message) = folder.failure(&["train", "run.toml", "--data", "nowhere", "--out", "none"], b"");
    assert_eq!(code, "TRAIN_FAILED");
    assert!(message.contains("nowhere") && message.contains("--data"), "{message}");
    folder.write("run.toml", b"[data]\nnaem = 3\n");
    let (code, message) = folder.failure(&["train", "run.toml"], b"");
    assert_eq!(code, "CONFIG_INVALID");
    assert!(message.contains("naem") && message.contains("line 2"), "{message}");
    folder.write("run.toml", b"[data]\nname = \"\"\n[task.predikt]\n");
    let (code, message) = folder.failure(&["train", "run.toml"], b"");
    assert_eq!(code, "CONFIG_INVALID");
    assert!(
        ["line 3", "predikt", "`predict`", "`tag`"].iter().all(|part| message.contains(part)),
        "{message}"
    );
}

#[test]
fn before_its_first_step_a_run_has_no_training_loss() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    folder.write("run.toml", text(RUN).replace("epochs = 2", "epochs = 0").as_bytes());
    let train = ["train", "run.toml", "--data", ".", "--out", "made"];
    let output = folder.run(&[&train[..], &["--json"]].concat(), b"");
    let told = text(&output.stdout).lines().find(|line| line.contains("evaluated")).expect("an evaluation");
    let told = &serde_json::from_str::<Value>(told).expect("one value")["evaluated"];
    assert_eq!((&told["training_loss"], &told["words_per_second"]), (&Value::Null, &Value::Null), "{told}");
    let output = folder.run(&train, b"");
    let told = text(&output.stdout);
    assert!(told.contains("epoch 0.00  dev ") && !told.contains("training"), "{told}");
}

#[test]
fn a_file_that_is_missing_is_explained_by_options_that_there_are() {
    let folder = Folder::new();
    let [eval, vectors] = [
        &["eval", "--model", "model", "--data", "none", "--format", "lines"][..],
        &["vectors", "none:lines", "--out", "made"],
    ]
    .map(|arguments| folder.failure(arguments, b""));
    assert_eq!(eval.1, "none does not exist");
    assert_eq!((eval.0, vectors.1.contains("none does not exist; `--data DIR`")), (vectors.0, true));
}

#[test]
fn a_run_does_not_write_over_its_config() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    for (config, more) in [("run.safetensors", &[][..]), ("run.toml", &["--out", "./run.toml"])] {
        folder.write(config, RUN);
        folder.says(&[&["train", config, "--data", "."], more].concat(), "this command reads ");
        assert_eq!(fs::read(folder.path(config)).expect("it is there"), RUN);
    }
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let folder = Folder::new();
    let run = text(RUN);
    let test = run.replace("[model]", "test = { path = \"tests\", format = \"lines\" }\n[model]");
    let taught = format!("{run}\ndistill = {{ teacher = \"model\", weight = 0.5, temperature = 1.0 }}\n");
    let network = "[model]\nembedding_size = 4\n";
    let learning = "[train]\nbatch = 1\nepochs = 1\nlearning_rate = 0.01\n";
    let running = r#"
        [task.predict]
        cutoffs = [2]
        [data]
        name = "a folder"
        tokenizer = { kind = "spaces", lowercase = true }
        train = [{ path = "books", format = "text" }]
        dev = { path = "texts", format = "text" }
        steps = 2
        "#;
    let tagged = r#"
        [task.tag]
        [data]
        name = "a treebank"
        tokenizer = { kind = "spaces", lowercase = true }
        train = "texts"
        "#;
    let trees = r#"
        [task.tree]
        cell = "child-sum"
        hidden_size = 4
        [data]
        name = "trees"
        labels = []
        tokenizer = { kind = "spaces", lowercase = true }
        train = "texts"
        dev = "texts"
        parser = "model"
        "#;
    let [running, tagged] =
        [running, tagged].map(|task| [task, network, "encoder = []\n", learning].concat());
    let trees = [trees, network, learning].concat();
    fs::create_dir(folder.path("books")).expect("the folder can be written to");
    for (name, bytes) in [
        ("texts", TEXTS.as_bytes()),
        ("tests", TEXTS.as_bytes()),
        ("books/one.txt", TEXTS.as_bytes()),
        ("run.toml", RUN),
        ("test.toml", test.as_bytes()),
        ("taught.toml", taught.as_bytes()),
        ("running.toml", running.as_bytes()),
        ("tagged.toml", tagged.as_bytes()),
        ("trees.toml", trees.as_bytes()),
    ] {
        folder.write(name, bytes);
    }
    for (arguments, out) in [
        (&["vectors", "tests:lines", "texts:lines", "--size", "2"][..], "texts"),
        (&["train", "run.toml", "--data", "."], "./texts"),
        (&["train", "test.toml", "--data", "."], "tests"),
        (&["train", "run.toml", "--data", ".", "--init", "model"], "model"),
        (&["train", "taught.toml", "--data", "."], "model"),
        (&["train", "running.toml", "--data", "."], "books/one.txt"),
        (&["train", "tagged.toml", "--data", "."], "texts"),
        (&["train", "trees.toml", "--data", "."], "model"),
        (&["export", "model", "--measure", "test=texts:lines"], "texts"),
        (&["export", "model", "--measure", "test=texts:lines", "--parser", "tests"], "tests"),
        (&["export", "model", "--measure", "test=books:text"], "books/one.txt"),
    ] {
        let before = fs::read(folder.path(out)).expect("it is there");
        folder.says(&[arguments, &["--out", out]].concat(), "--out: this command reads ");
        assert!(before == fs::read(folder.path(out)).expect("it is there"), "{arguments:?}");
    }
    assert_eq!(folder.json(&["export", "model", "--out", "model"], b"")["out"], json!("model"));
}

#[test]
fn a_folder_is_no_file_to_write_whether_it_is_there_or_not() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    fs::create_dir(folder.path("there")).expect("the folder can be written to");
    for out in ["there", "there/", "new/", "new/."] {
        // Before any text is read.
        for arguments in [&["export", "model"][..], &["vectors", "none:lines"]] {
            let (code, message) = folder.failure(&[arguments, &["--out", out]].concat(), b"");
            assert_eq!(code, "FILE_UNWRITABLE", "{message}");
            assert!(message.starts_with(&format!("cannot write {out}: ")), "{message}");
        }
    }
    assert!(!folder.path("new").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_text_ends_in_no_panic() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    folder.write("run.toml", RUN);
    let name = std::ffi::OsStr::from_bytes(b"made\xff");
    for arguments in [
        &["export", "model"][..],
        &["train", "run.toml", "--data", "."],
        &["vectors", "texts:lines", "--size", "2"],
    ] {
        let output =
            folder.command(arguments).args(["--json", "--out"]).arg(name).output().expect("it starts");
        let said = text(&output.stderr);
        assert_eq!((output.status.code(), said), (Some(0), ""), "{arguments:?}");
        assert!(text(&output.stdout).contains("made\u{fffd}") && folder.path(".").join(name).exists());
        fs::remove_file(folder.path(".").join(name)).expect("it is there");
    }
    // A config is text, and the model that a run starts from a part of it.
    let odd = folder.path(".").join(name);
    fs::create_dir(&odd).expect("the folder can be written to");
    let train = ["train", "../run.toml", "--data", "..", "--init", "../model"];
    let output = folder.command(&train).current_dir(odd).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "error: --init: the path of this folder is not UTF-8, as a config is\n");
}

#[test]
fn train_and_eval_use_the_gpu_or_say_why_not() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    folder.write("run.toml", RUN);
    let train = ["train", "run.toml", "--data", ".", "--out", "made", "--device", "gpu"];
    let output = folder.run(&train, b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let command = &folder.json(&["inspect", "made"], b"")["config"]["training"]["command"];
    assert_eq!(command, "saccade train run.toml --seed 0 --device gpu");

    let eval = ["eval", "--model", "made", "--data", "texts", "--format", "lines", "--device"];
    let on = |device| {
        // Graphics drivers may have something to say on standard error.
        let output = folder.run(&[&eval[..], &[device]].concat(), b"");
        let figures: Value = serde_json::from_slice(&output.stdout).expect("one value");
        figures["accuracy"].clone()
    };
    assert_eq!(on("gpu"), on("cpu"));
    for arguments in [&train[..], &[&eval[..], &["gpu"]].concat()] {
        let output = folder.command(arguments).arg("--json").env("SACCADE_ADAPTER", "no such GPU").output();
        let output = output.expect("the program starts");
        let line = text(&output.stderr).lines().last().expect("a line");
        let error: Value = serde_json::from_str(line).expect("one value");
        assert_eq!((output.status.code(), &error["error"]["code"]), (Some(1), &json!("NO_GPU")));
        let message = error["error"]["message"].as_str().expect("a string");
        assert!(message.contains("--device gpu") && message.contains("no such GPU"), "{message}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_written_goes_where_links_lead_and_keeps_its_mode() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = Folder::new();
    let run = |out: &str| {
        folder.json(&["export", "model", "--out", out], b"");
        fs::metadata(folder.path(out)).expect("it is there").permissions().mode() & 0o777
    };
    folder.write("real", b"old");
    fs::set_permissions(folder.path("real"), fs::Permissions::from_mode(0o640)).expect("it is ours");
    symlink("real", folder.path("link")).expect("a link can be made");
    assert_eq!(run("link"), 0o640);
    assert!(
        folder.path("link").is_symlink() && fs::metadata(folder.path("real")).expect("it is there").len() > 3
    );
    folder.write("plain", b"");
    let usual = fs::metadata(folder.path("plain")).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(run("new"), usual, "as the umask has it");

    symlink("nowhere", folder.path("dangling")).expect("a link can be made");
    let fifo = folder.path("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().expect("mkfifo starts");
    assert!(made.success());
    symlink("/dev/null", folder.path("device")).expect("a link can be made");
    for out in ["fifo", "device", "dangling"] {
        let (code, message) = folder.failure(&["export", "model", "--out", out], b"");
        assert_eq!(code, "FILE_UNWRITABLE", "{message}");
        assert!(message.contains(&format!("cannot write {out}: ")), "{message}");
        assert_eq!(message.contains("it is a link that leads to no file"), out == "dangling", "{message}");
        assert!(fs::symlink_metadata(folder.path(out)).is_ok_and(|found| !found.is_file()), "{out}");
    }
}
