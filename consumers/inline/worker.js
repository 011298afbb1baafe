import "saccade-rnn/inline";
import "saccade-rnn/worker-entry";
