/** The file that was dropped on a scene, unless it is a model, which the page takes itself. */
export function dropped(event: DragEvent, scene: string): File | null {
  const [file] = event.dataTransfer?.files ?? [];
  const here = event.target instanceof Element && event.target.closest("section.scene")?.querySelector(`#${scene}`);
  if (!file || !here || file.name.endsWith(".safetensors")) return null;
  event.preventDefault();
  return file;
}
