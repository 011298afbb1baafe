import { load } from "saccade-rnn/worker";

export const dynamic = "force-dynamic";

export async function GET() {
  const model = await load("public/model.safetensors");
  return Response.json(await model.read("a quiet, generous film"));
}
