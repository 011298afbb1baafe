import { load } from "saccade-rnn";
import Client from "./client";

export const dynamic = "force-dynamic";

export default async function Page() {
  const model = await load("public/model.safetensors");
  const { label } = await model.read("a quiet, generous film");
  return (
    <main>
      <p id="server">{label}</p>
      <Client />
    </main>
  );
}
