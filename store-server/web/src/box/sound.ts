// Two short tones: a cashier looks at the goods, not at the screen. Made here, loaded from nowhere; silence where it can not be.
let audio: AudioContext | undefined;

function tone(hertz: number, atSeconds: number, forSeconds: number): void {
  audio ??= new AudioContext();
  const from = audio.currentTime + atSeconds;
  const sound = audio.createOscillator();
  const volume = audio.createGain();
  sound.frequency.value = hertz;
  volume.gain.setValueAtTime(0.12, from);
  volume.gain.exponentialRampToValueAtTime(0.001, from + forSeconds);
  sound.connect(volume).connect(audio.destination);
  sound.start(from);
  sound.stop(from + forSeconds);
}

/** Something was refused: low, twice. */
export function refusedTone(): void {
  try {
    tone(220, 0, 0.14);
    tone(196, 0.17, 0.2);
  } catch {
    // A device without sound still shows and announces it.
  }
}
