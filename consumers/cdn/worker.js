import "https://cdn.example/saccade-rnn/dist/worker-entry.js";
