// An OpenID provider of another make, with two people and the client of the dashboards.
// Lines on stdin: "rotate" signs with a new key and still publishes the old one; "withdraw" forgets the old ones.
import { createInterface } from "node:readline";
import { createServer } from "node:http";
import * as jose from "jose";
import Provider from "oidc-provider";

const [port, back, after, accessSeconds] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const roles = { "jane@example.fr": ["bfc", "crp"], "john@example.fr": [] };
const claims = (email) => ({
  email,
  email_verified: true,
  given_name: email.split("@")[0],
  family_name: "Doe",
  resource_access: { workbench: { roles: roles[email] ?? [] } },
});

async function newKey() {
  const { privateKey } = await jose.generateKeyPair("RS256", { extractable: true });
  return { ...(await jose.exportJWK(privateKey)), kid: crypto.randomUUID(), use: "sig", alg: "RS256" };
}

function start(keys) {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [
      {
        client_id: "tableaux",
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [back],
        post_logout_redirect_uris: [after],
        application_type: "native",
      },
    ],
    cookies: { keys: ["of the tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["given_name", "family_name"] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...claims(id) }) }),
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    extraTokenClaims: (_, token) => (token.kind === "AccessToken" ? claims(token.accountId) : undefined),
    ttl: { AccessToken: Number(accessSeconds), IdToken: 300, Session: 3600, Grant: 3600, Interaction: 600 },
    features: {
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "urn:workbench",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: "openid email profile",
          audience: "workbench",
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  return provider.callback();
}

let keys = [await newKey()];
let handler = start(keys);
createServer((request, answer) => handler(request, answer)).listen(Number(port), "127.0.0.1", () => console.log("ready"));
for await (const line of createInterface({ input: process.stdin })) {
  keys = line === "rotate" ? [await newKey(), ...keys] : keys.slice(0, 1);
  handler = start(keys);
  console.log(line);
}
process.exit(0);
