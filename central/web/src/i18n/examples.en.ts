import type zh from './examples.zh'

const en: typeof zh = {
  examples: {
    title: 'False alarm examples',
    about:
      'Of a gathering, flame or smoke alert that staff called false, the one snapshot and the reason are kept, to train the next model so that the same thing rings less. No video, no face cut out, nobody marked; no camera’s name, no hour, no person’s name, no remark. Who is to be seen in a picture, and what a camera writes into it, is still in it: use it for training only and hand it to nobody else.',
    on: 'Kept',
    off: 'Not kept',
    howOn: 'Off by default. To keep them, an administrator writes [examples] keep = true into the centre’s central.toml and restarts the centre (a trial by make run: ARGS=--keep-examples).',
    limits: 'For {days} days, at most {pictures} pictures and {size}; beyond that the oldest go first. To stop, set keep = false in central.toml and restart; what is kept can be deleted below.',
    figures: '{pictures} pictures of {cameras} cameras, {size}.',
    waiting: 'For {n} more the box has not sent its snapshot yet.',
    kind: 'Kind',
    reason: 'Reason',
    pictures: 'Pictures',
    use: 'Use',
    negative: 'Negative: neither flame nor smoke in it',
    unlabelled: 'To be labelled by a person: there may be flame or smoke in it',
    picture: 'Snapshot of a false alarm: {what}',
    cameraNumber: 'Camera {number} (drawn by chance)',
    model: 'Model {model}',
    delete: 'Delete',
    deleteSure: 'Delete it',
    deleteAll: 'Delete all',
    deleteAllSure: 'Delete all {n}',
    purpose: 'What they are taken away for (entered with your name)',
    purposeHint: 'E.g. to train a new model in town',
    take: 'Download all (ZIP)',
    record: 'Record',
    gone: 'In all: {exported} downloaded, {deleted} deleted by people, {expired} by age, {dropped} because there were too many; {refused} were no pictures.',
    itself: 'The system',
    acts: { exported: 'downloaded', deleted: 'deleted', expired: 'deleted by age', dropped: 'deleted, too many', refused: 'no picture' },
    count: '{n} pictures',
  },
}

export default en
