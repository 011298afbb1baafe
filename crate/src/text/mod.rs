//! Tokens with character spans, and the vocabulary.
