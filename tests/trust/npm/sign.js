// Signs with a key and attaches the bundle to an image, by Sigstore's own libraries. The request is JSON on standard
// input: {key: file of a private key, form: "dsse" | "message", type, data: base64, image: HOST/NAME, digest}.
const crypto = require('node:crypto');
const fs = require('node:fs');
const { bundleToJSON } = require('@sigstore/bundle');
const { attachArtifactToImage } = require('@sigstore/oci');
const { DSSEBundleBuilder, MessageSignatureBundleBuilder } = require('@sigstore/sign');

async function main() {
  const asked = JSON.parse(fs.readFileSync(0, 'utf8'));
  const key = crypto.createPrivateKey(fs.readFileSync(asked.key));
  const publicKey = crypto.createPublicKey(key).export({ type: 'spki', format: 'pem' });
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signer = {
    sign: async (data) => ({ signature: crypto.sign(hash, data, key), key: { $case: 'publicKey', publicKey, hint: 'tests' } }),
  };
  const Builder = asked.form === 'dsse' ? DSSEBundleBuilder : MessageSignatureBundleBuilder;
  const data = Buffer.from(asked.data, 'base64');
  const bundle = await new Builder({ signer, witnesses: [] }).create({ data, type: asked.type });
  const attached = await attachArtifactToImage({
    imageName: asked.image,
    imageDigest: asked.digest,
    artifact: Buffer.from(JSON.stringify(bundleToJSON(bundle))),
    mediaType: bundle.mediaType,
    annotations: { 'dev.sigstore.bundle.content': asked.form === 'dsse' ? 'dsse-envelope' : 'message-signature' },
  });
  process.stdout.write(JSON.stringify(attached));
}

main();
