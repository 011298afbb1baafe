//! The program `saccade`.

fn main() -> std::process::ExitCode {
    saccade_cli::main()
}
