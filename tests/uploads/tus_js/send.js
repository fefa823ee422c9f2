// Sends a file with tus-js-client: node send.js ENDPOINT TOKEN FILE MEMORY CHUNK STOP
// With STOP > 0, the process ends in the middle once so many bytes are acknowledged; run again, it resumes.
import fs from 'node:fs'
import tus from 'tus-js-client'

const [endpoint, token, path, memory, chunk, stop] = process.argv.slice(2)
const file = fs.createReadStream(path)
const size = fs.statSync(path).size
let first = null

const upload = new tus.Upload(file, {
  endpoint,
  chunkSize: Number(chunk),
  uploadSize: size,
  overridePatchMethod: true,
  retryDelays: Array(40).fill(100),
  headers: { Authorization: `Bearer ${token}` },
  metadata: { filename: 'séries.csv', private: 'true' },
  urlStorage: new tus.FileUrlStorage(memory),
  fingerprint: async () => `fingerprint-${size}`,
  removeFingerprintOnSuccess: false,
  onChunkComplete(_length, accepted) {
    if (first === null) first = accepted
    if (Number(stop) > 0 && accepted >= Number(stop)) {
      console.log(JSON.stringify({ stopped: accepted }))
      process.exit(0)
    }
  },
  onError(error) {
    console.log(JSON.stringify({ error: String(error) }))
    process.exit(1)
  },
  onSuccess() {
    console.log(JSON.stringify({ url: upload.url, first }))
  },
})

const previous = await upload.findPreviousUploads()
if (previous.length > 0) upload.resumeFromPreviousUpload(previous[0])
upload.start()
