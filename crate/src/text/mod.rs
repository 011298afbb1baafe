//! Text as the networks see it: tokens with spans in the original string, and the vocabulary that numbers
//! them. Nothing here knows of tensors.

mod characters;
mod sentences;
mod token;
mod tokenizer;
mod tree;
mod treebank;
mod universal;
mod vocabulary;

pub(crate) use characters::is_ignored;
pub use sentences::sentences;
pub use token::{Span, Token};
pub(crate) use tokenizer::UNIVERSAL;
pub use tokenizer::{END, Ends, Tokenizer, TokenizerKind};
pub use tree::{MergeError, Tree, TreeError, TreeProblem};
pub use vocabulary::{UNKNOWN, Vocabulary, VocabularyError};
