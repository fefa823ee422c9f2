// A client of another make: discovery, authorization code with PKCE, userinfo, refresh, revocation.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const [issuer, back] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const options = { execute: [client.allowInsecureRequests] };
const config = await client.discovery(new URL(issuer), "tableaux", undefined, client.None(), options);
const verifier = client.randomPKCECodeVerifier();
const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: back,
  scope: "openid email profile",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state: checks.expectedState,
  nonce: checks.expectedNonce,
  max_age: "300",
});
console.log(address.href);
const returned = new URL((await lines.next()).value);
const tokens = await client.authorizationCodeGrant(config, returned, { ...checks, maxAge: 300 });
const claims = tokens.claims();
const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
await client.tokenRevocation(config, renewed.refresh_token);
let afterwards = "accepted";
try {
  await client.refreshTokenGrant(config, renewed.refresh_token);
} catch (error) {
  afterwards = error.error;
}
const leaving = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: new URL("/", back).href });
console.log(JSON.stringify({ claims, person, access: renewed.access_token, afterwards, leaving: leaving.href }));
process.exit(0);
