/** The light build has the same types; it lacks what village recordings have not: sound, DRM, subtitles. */
declare module 'hls.js/light' {
  export * from 'hls.js'
  export { default } from 'hls.js'
}
