// Reads QR codes: from the camera, frame by frame, and from a picture.
import decodeQR from "qr/decode.js";

/** Why there is no picture from a camera. */
export type CameraTrouble = "none" | "denied" | "busy" | "insecure";

export class CameraFailure extends Error {
  readonly why: CameraTrouble;

  constructor(why: CameraTrouble) {
    super(why);
    this.why = why;
  }
}

/** Pictures are made no larger than this before they are read: enough for version 10. */
const SIDE_MAX = 1024;
const BETWEEN_FRAMES_MS = 120;
const NAMES: Record<string, CameraTrouble> = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  OverconstrainedError: "none",
};

/** Show the camera in `video` and call `found` with each text read, until `stop` is called. */
export async function watchCamera(
  video: HTMLVideoElement,
  found: (text: string) => void,
): Promise<{ stop(): void }> {
  const stream = await openCamera();
  video.srcObject = stream;
  await video.play();
  const looking = setInterval(() => {
    const text = read(video, video.videoWidth, video.videoHeight);
    if (text !== null) found(text);
  }, BETWEEN_FRAMES_MS);
  return {
    stop(): void {
      clearInterval(looking);
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
    },
  };
}

/** Read the code in a picture; null when there is none. */
export async function readPicture(file: Blob): Promise<string | null> {
  try {
    const picture = await createImageBitmap(file);
    return read(picture, picture.width, picture.height);
  } catch {
    return null; // it is no picture
  }
}

async function openCamera(): Promise<MediaStream> {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (!devices) throw new CameraFailure("insecure");
  try {
    return await devices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch (reason) {
    throw new CameraFailure(NAMES[(reason as DOMException).name] ?? "busy");
  }
}

function read(source: CanvasImageSource, width: number, height: number): string | null {
  if (width === 0 || height === 0) return null;
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const brush = canvas.getContext("2d", { willReadFrequently: true });
  if (!brush) return null;
  brush.drawImage(source, 0, 0, canvas.width, canvas.height);
  try {
    return decodeQR(brush.getImageData(0, 0, canvas.width, canvas.height));
  } catch {
    return null; // no code, or too blurred: the next frame may do
  }
}
