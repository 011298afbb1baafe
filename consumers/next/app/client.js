"use client";

import { load } from "saccade-rnn";
import { load as loadInWorker } from "saccade-rnn/worker";
import { useEffect } from "react";

async function read() {
  const text = "a quiet, generous film";
  const [here, there] = await Promise.all([load("/model.safetensors"), loadInWorker("/model.safetensors")]);
  const result = await here.read(text);
  const { label } = await there.read(text);
  if (label !== result.label) throw new Error(`the worker says ${label}`);
  Object.assign(window, { result });
}

export default function Client() {
  useEffect(() => void read(), []);
  return null;
}
