import { fitted } from './fields'

/** A notice sign is read well at this size, and a weak line carries it. */
const MOST_PIXELS = 1920
const QUALITY = 0.85

/**
 * Return a photo made smaller, the right way up, as a JPEG: what its telephone wrote beside it does not leave this
 * device. One that the browser can't read is returned as it is: the centre says what is wrong with it.
 */
export async function shrunk(photo: Blob): Promise<Blob> {
  try {
    const picture = await createImageBitmap(photo, { imageOrientation: 'from-image' })
    const canvas = document.createElement('canvas')
    Object.assign(canvas, fitted(picture.width, picture.height, MOST_PIXELS))
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
    picture.close()
    const made = await new Promise<Blob | null>((done) => {
      canvas.toBlob(done, 'image/jpeg', QUALITY)
    })
    return made ?? photo
  } catch {
    return photo
  }
}
