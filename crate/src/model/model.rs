//! A model: config, words and weights, from a file and to a file.

use super::encoder::{Dropouts, FreshOptions};
use super::error::excerpt;
use super::shape::MOST_WEIGHTS;
use super::{CONFIG_KEY, Checkpoint, Config, ModelError, Network, Storage, Task, Tensor, WordVectors};
use crate::device::Parameters;
use crate::nn::{BuildError, Builder, Tensors};
use crate::text::{Tokenizer, Vocabulary};

/// A network with its weights, its words and its task.
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    tokenizer: Tokenizer,
    vocabulary: Vocabulary,
    /// Of a tagger or a parser that spells.
    alphabet: Option<Vocabulary>,
    network: Network,
    parameters: Parameters,
}

impl Model {
    /// A model with freshly drawn weights.
    ///
    /// # Errors
    /// If the config is not valid, or asks for more than 2^28 weights.
    pub fn fresh(
        config: Config,
        dropouts: Dropouts,
        fresh: FreshOptions,
        seed: u32,
    ) -> Result<Self, ModelError> {
        config.validate()?;
        let weights = config.least_parameters();
        if weights > MOST_WEIGHTS {
            let found = format!("{weights} weights");
            return Err(ModelError::config("the network", format!("at most {MOST_WEIGHTS} weights"), found));
        }
        Self::build(config, Builder::fresh(seed), dropouts, fresh)
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// See [`super::open`]; also if the tensors are not those of the network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let (config, checkpoint) = super::open(bytes)?;
        Self::build(config, Builder::stored(checkpoint.tensors), Dropouts::default(), FreshOptions::default())
    }

    /// The config is valid.
    fn build(
        config: Config,
        mut builder: Builder,
        dropouts: Dropouts,
        fresh: FreshOptions,
    ) -> Result<Self, ModelError> {
        let distinct = |words: &[String]| {
            Vocabulary::try_from(words.to_vec()).map_err(|error| {
                ModelError::config("vocabulary", "distinct words after <unk>", error.to_string())
            })
        };
        let vocabulary = distinct(&config.vocabulary)?;
        let characters = config.task.tagging().and_then(|task| task.characters.as_ref());
        let alphabet = characters.map(|c| distinct(&c.alphabet)).transpose()?;
        let network = Network::new(&mut builder, &config, dropouts, fresh).map_err(from_build)?;
        let parameters = builder.finish().map_err(from_build)?;
        Ok(Self { tokenizer: config.tokenizer, config, vocabulary, alphabet, network, parameters })
    }

    /// Writes a model file; `storage` chooses how each tensor is stored.
    ///
    /// # Errors
    /// If a weight is not finite, or a name or the config cannot be read back.
    pub fn to_bytes(&self, storage: impl Fn(&str, &Tensor) -> Storage) -> Result<Vec<u8>, ModelError> {
        let mut checkpoint = Checkpoint::default();
        checkpoint.metadata.insert(CONFIG_KEY.into(), self.config.to_json()?);
        for (_, p) in self.parameters.iter() {
            let tensor = Tensor::new(&p.name, p.shape.clone(), p.values.clone())?;
            checkpoint.tensors.insert(p.name.clone(), tensor);
        }
        checkpoint.to_bytes(storage)
    }

    /// What the file says of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The config to write in, so that it records how the model was made. Sizes must stay as they are.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// How it splits text.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The word that every text begins after, if it is to predict words and has such a word.
    pub fn first_word(&self) -> Option<u32> {
        match &self.config.task {
            Task::Predict(task) => task.start.as_ref().map(|word| self.vocabulary.id(word)),
            Task::Classify(_) | Task::Tag(_) | Task::Parse(_) | Task::Tree(_) => None,
        }
    }

    /// The band of a word in a model that predicts words: 0 of the head, then the tails.
    pub fn cluster_of(&self, word: u32) -> usize {
        let tail = self.network.head.softmax().and_then(|softmax| softmax.cluster_of(word));
        tail.map_or(0, |tail| tail + 1)
    }

    /// The words it knows.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The letters it knows, if it is a tagger or a parser that spells.
    pub fn alphabet(&self) -> Option<&Vocabulary> {
        self.alphabet.as_ref()
    }

    /// Its layers.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Its weights.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Its weights, to train them.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Whether a layer decides what to skim.
    pub fn skims(&self) -> bool {
        self.config.skims()
    }

    /// The threshold used where the caller gives none.
    pub fn threshold(&self) -> f32 {
        self.config.default_threshold()
    }

    /// The model restricted to a smaller vocabulary: `keep` are ids of words to keep besides `<unk>`, in their order.
    ///
    /// # Errors
    /// If an id is not in the vocabulary, or the task is to predict words.
    pub fn with_words(&self, keep: &[u32]) -> Result<Self, ModelError> {
        let mut ids: Vec<u32> = keep.iter().copied().filter(|id| *id != 0).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.insert(0, 0);
        let words = ids.iter().map(|&id| {
            let unknown = || ModelError::config("words to keep", "ids of the vocabulary", id.to_string());
            self.vocabulary.word(id).map(str::to_owned).ok_or_else(unknown)
        });
        let (
            WordVectors::Table(embedding),
            Task::Classify(_) | Task::Tag(_) | Task::Parse(_) | Task::Tree(_),
        ) = (&self.network.encoder.words, &self.config.task)
        else {
            return Err(ModelError::config(
                "task",
                "one whose words can be left out",
                self.config.task.name(),
            ));
        };
        let config = Config { vocabulary: words.collect::<Result<_, _>>()?, ..self.config.clone() };
        let mut tensors = Tensors::new();
        for (id, p) in self.parameters.iter() {
            let (mut shape, mut values) = (p.shape.clone(), p.values.clone());
            if id == embedding.weight {
                let columns = p.columns();
                shape[0] = ids.len();
                let row = |id: &u32| &p.values[*id as usize * columns..(*id as usize + 1) * columns];
                values = ids.iter().flat_map(row).copied().collect();
            }
            tensors.insert(p.name.clone(), Tensor { shape, values });
        }
        Self::build(config, Builder::stored(tensors), Dropouts::default(), FreshOptions::default())
    }
}

pub(super) fn from_build(error: BuildError) -> ModelError {
    match error {
        BuildError::Missing { name, expected } => {
            ModelError::Missing { tensor: excerpt(&name), expected: format!("{expected:?}") }
        }
        BuildError::Shape { name, expected, found } => ModelError::Shape {
            tensor: excerpt(&name),
            expected: format!("{expected:?}"),
            found: format!("{found:?}"),
        },
        BuildError::Unused { name, found } => {
            ModelError::Unclaimed { tensor: excerpt(&name), found: format!("{found:?}") }
        }
        BuildError::Tied { name, of } => ModelError::config(
            format!("tensor {}", excerpt(&name)),
            format!("the values of {}, to which it is tied", excerpt(&of)),
            "others",
        ),
        BuildError::Size { what, expected, found } => ModelError::config(what, expected, found),
        BuildError::Engine(error) => ModelError::config("encoder", "distinct parameters", error.to_string()),
    }
}
