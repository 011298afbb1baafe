//! The arc-hybrid system (Kuhlmann, Gómez-Rodríguez & Satta 2011): what a parser that reads from left to right may do next.
//!
//! Words that wait for their head lie on a stack; the buffer holds those to come, and after the last one the root. SHIFT
//! moves the buffer's front onto the stack. LEFT takes the top of the stack and makes it depend on the buffer's front, RIGHT
//! on the word below it. The root takes the last word of the stack and no other, so that whatever is done, it ends after
//! two transitions a word with a tree of one root.

/// What a parser does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The buffer's front goes onto the stack.
    Shift,
    /// The top of the stack depends on the buffer's front, by this relation.
    Left(u32),
    /// The top of the stack depends on the word below it, by this relation.
    Right(u32),
}

/// What a parser looks at: the third, second and first word of the stack from its top, and the buffer's front.
pub const SLOTS: usize = 4;

/// A parser's stack and buffer, and the arcs so far. Words are numbered from 0; the root has the number behind the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    stack: Vec<u32>,
    front: u32,
    words: u32,
    relations: u32,
    arcs: Vec<Option<(u32, u32)>>,
}

impl Configuration {
    /// The beginning of a sentence of so many words, which may depend on others by so many relations.
    pub fn new(words: usize, relations: usize) -> Self {
        let (words, relations, arcs) = (words as u32, relations as u32, vec![None; words]);
        Self { stack: Vec::new(), front: 0, words, relations, arcs }
    }

    /// The number of the root, behind the words.
    pub fn root(&self) -> u32 {
        self.words
    }

    /// The stack, its top last.
    pub fn stack(&self) -> &[u32] {
        &self.stack
    }

    /// The first word of the buffer, or the root.
    pub fn front(&self) -> u32 {
        self.front
    }

    /// The head and the relation of every word that has them; the root's relation is numbered behind the others.
    pub fn arcs(&self) -> &[Option<(u32, u32)>] {
        &self.arcs
    }

    /// Whether every word has its head.
    pub fn is_done(&self) -> bool {
        self.stack.is_empty() && self.front == self.words
    }

    /// The only transition, where there is nothing to decide: the first word must be shifted, and the root's arc has no
    /// other name.
    pub fn forced(&self) -> Option<Transition> {
        match (self.stack.len(), self.front == self.words) {
            (0, false) => Some(Transition::Shift),
            (1, true) => Some(Transition::Left(self.relations)),
            _ => None,
        }
    }

    /// Whether a transition is possible. One that is [forced](Self::forced) needs no question.
    pub fn allows(&self, transition: Transition) -> bool {
        let words_left = self.front < self.words;
        match transition {
            Transition::Shift => words_left,
            Transition::Left(relation) => words_left && !self.stack.is_empty() && relation < self.relations,
            Transition::Right(relation) => self.stack.len() > 1 && relation < self.relations,
        }
    }

    /// Goes on by a transition that is possible; another changes nothing.
    pub fn apply(&mut self, transition: Transition) {
        if !self.allows(transition) && self.forced() != Some(transition) {
            return;
        }
        let head = match transition {
            Transition::Shift => {
                self.stack.push(self.front);
                self.front += 1;
                return;
            }
            Transition::Left(relation) => (self.front, relation),
            Transition::Right(relation) => (self.stack[self.stack.len() - 2], relation),
        };
        if let Some(word) = self.stack.pop() {
            self.arcs[word as usize] = Some(head);
        }
    }

    /// The transitions in the order of their scores: SHIFT, LEFT by every relation, RIGHT by every relation.
    pub fn numbered(&self) -> impl Iterator<Item = Transition> + use<> {
        let relations = self.relations;
        std::iter::once(Transition::Shift)
            .chain((0..relations).map(Transition::Left))
            .chain((0..relations).map(Transition::Right))
    }

    /// What a parser looks at, as numbers of words; behind the root's stands the number of what is not there.
    pub fn slots(&self) -> [u32; SLOTS] {
        let from_top = |depth| match self.stack.len().checked_sub(depth) {
            Some(place) => self.stack[place],
            None => self.words + 1,
        };
        [from_top(3), from_top(2), from_top(1), self.front]
    }
}
