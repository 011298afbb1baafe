//! Text as the networks see it: tokens with spans in the original string, and the vocabulary that numbers
//! them. Nothing here knows of tensors.

mod characters;
mod token;
mod tokenizer;
mod treebank;
mod vocabulary;

pub use token::{Span, Token};
pub use tokenizer::{END, Ends, Tokenizer, TokenizerKind};
pub use vocabulary::{UNKNOWN, Vocabulary, VocabularyError};
