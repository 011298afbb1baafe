//! What one batch hands to the next.

use crate::device::{Device, EngineError, Parameters};
use crate::graph::{Expr, Graph, Held, Strategy};

/// Of every part of a batch the rows that it left, in the memory of a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Carried(Vec<Vec<Held>>);

/// The same on the host, by part and row.
pub(super) type CarriedRows = Vec<Vec<Vec<f32>>>;

impl Carried {
    /// The rows that a graph leaves on its device.
    ///
    /// # Errors
    /// If one cannot be computed.
    pub(super) fn hold(states: &[Vec<Expr<'_>>]) -> Result<Self, EngineError> {
        states
            .iter()
            .map(|part| part.iter().map(|row| row.hold()).collect())
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The rows of a part on another graph of the device; none of a part that there was not.
    pub(super) fn record<'g>(&self, graph: &'g Graph, part: usize) -> Vec<Expr<'g>> {
        self.0.get(part).into_iter().flatten().map(|row| graph.held(row.clone())).collect()
    }

    /// Copies them to the host.
    ///
    /// # Errors
    /// If the device cannot be read.
    pub(super) async fn read(&self, device: &Device) -> Result<CarriedRows, EngineError> {
        let parts: Vec<_> = self.0.iter().flatten().map(Held::elements).collect();
        let mut rows = device.read(&parts).await?.into_iter();
        Ok(self.0.iter().map(|part| rows.by_ref().take(part.len()).collect()).collect())
    }

    /// Copies them to a device.
    ///
    /// # Errors
    /// If it has no room.
    pub(super) fn upload(device: &Device, carried: CarriedRows) -> Result<Self, EngineError> {
        let graph = Graph::inference(&Parameters::new(), device, Strategy::Levels);
        let hold = |row: Vec<f32>| graph.input(1, row.len(), row).hold();
        carried
            .into_iter()
            .map(|part| part.into_iter().map(hold).collect())
            .collect::<Result<_, _>>()
            .map(Self)
    }
}
