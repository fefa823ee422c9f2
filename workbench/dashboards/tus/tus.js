// What the upload page takes of tus-js-client.

export { Upload, defaultOptions } from "tus-js-client";
