/** A file that somebody picks, as the sandbox takes it: base64, and for a picture a small JPEG to show before it is loaded. */

const largestBytes = 45_000_000;
const previewEdge = 160;

export interface FileForMessage {
  readonly base64: string;
  readonly mimetype: string;
  readonly name: string;
  /** JPEG in base64; null when the file is no picture. */
  readonly thumbnail: string | null;
}

/** Throws an Error in words when the file is too large or cannot be read. */
export async function fileForMessage(file: File): Promise<FileForMessage> {
  if (file.size === 0) throw new Error('The file is empty.');
  if (file.size > largestBytes) throw new Error(`The file is too large: at most ${largestBytes / 1_000_000} MB.`);
  const [base64, thumbnail] = await Promise.all([base64Of(file), previewOf(file)]);
  return { base64, mimetype: file.type || 'application/octet-stream', name: file.name, thumbnail };
}

function base64Of(file: Blob): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const reader = new FileReader();
  reader.addEventListener('load', () => {
    const { result } = reader;
    if (typeof result === 'string') resolve(result.slice(result.indexOf(',') + 1));
    else reject(new Error('The file cannot be read.'));
  });
  reader.addEventListener('error', () => reject(new Error('The file cannot be read.')));
  reader.readAsDataURL(file);
  return promise;
}

async function previewOf(file: File): Promise<string | null> {
  if (!file.type.startsWith('image/')) return null;
  const picture = await createImageBitmap(file).catch(() => null);
  if (picture === null) return null;
  const scale = Math.min(1, previewEdge / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const brush = canvas.getContext('2d');
  if (brush === null) return null;
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const url = canvas.toDataURL('image/jpeg', 0.75);
  return url.slice(url.indexOf(',') + 1);
}
